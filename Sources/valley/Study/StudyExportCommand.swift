import ArgumentParser
import Checkpoints
import Foundation
import Studies
import Support

/// `valley study export`: all results as one file.
struct StudyExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write all results of a study as CSV or JSON.",
    discussion: """
      CSV has one line for each single and each merge; accuracies and gains are fractions, losses are in nats.

      EXAMPLES
        valley study export out/demo --csv -o demo.csv
        valley study export out/demo --json
      """)

  @Argument(help: "The study's folder.") var folder: String
  @Flag(help: "Write CSV (the default).") var csv = false
  @Flag(help: "Write JSON, which also has runs without results, and the noise measurements.") var json = false
  @Option(name: .shortAndLong, help: "The file to write.  (default: standard output)") var output: String?

  func validate() throws {
    if csv && json { throw ValidationError("choose one of --csv and --json") }
  }

  func run() throws {
    let results = try StudyFolder(URL(fileURLWithPath: folder)).results()
    let data = json ? try results.json() + Data("\n".utf8) : Data(results.csv().utf8)
    if let output {
      try writeAtomically(data, to: output)
    } else {
      try FileHandle.standardOutput.write(contentsOf: data)
    }
  }
}
