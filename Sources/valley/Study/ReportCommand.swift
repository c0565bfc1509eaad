import ArgumentParser
import Foundation
import Reports
import Studies

/// `valley report`: draws and judges what a study has found.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write a study's figures, tables and conclusion, as one offline page and as files.",
    discussion: """
      The report's folder holds report.html (interactive, needs no network), report.json (the conclusion's numbers), \
      runs.csv, and figures/ with each figure as a picture, as CSV, and as a Vega-Lite spec.

      EXAMPLES
        valley report out/demo --open
        valley report out/demo --out paper/figures --format pdf
        valley report out/demo --json | jq -r .headline
      """)

  @Argument(help: "The study's folder.", completion: .directory)
  var study: String
  @Option(
    name: .long, help: "Where to write the report.  (default: report/ in the study's folder)", completion: .directory)
  var out: String?
  @Option(
    name: .long, help: "The pictures' formats, any of svg, pdf and png, separated by commas.",
    transform: FigureFormat.set)
  var format: Set<FigureFormat> = Set(FigureFormat.allCases)
  @Option(
    name: .long,
    help: "The trunk checkpoints to average a run's gain over: all, later-half or last. Choose before you look.")
  var checkpoints = MergeSelection.Checkpoints.laterHalf
  @Flag(name: .long, help: "Print report.json instead of the report's path.")
  var json = false
  @Flag(name: .long, help: "Open the page when it is written.")
  var open = false

  func run() throws {
    let folder = URL(fileURLWithPath: study, isDirectory: true)
    let target = out.map { URL(fileURLWithPath: $0, isDirectory: true) } ?? folder.appendingPathComponent("report")
    let report = try Report(StudyFolder(folder).results(), selection: MergeSelection(checkpoints: checkpoints))
    let summary = report.summary
    if json { print(String(decoding: try summary.json(), as: UTF8.self), terminator: "") }
    let page = try report.write(to: target, formats: format)
    if !json {
      for warning in summary.warnings { print("warning: \(warning)") }
      print("\(summary.headline).\n\(page.path)")
    }
    if open { try Self.show(page) }
  }

  /// Hands the page to the desktop, which picks the browser.
  private static func show(_ page: URL) throws {
    #if os(macOS)
      let opener = "/usr/bin/open"
    #else
      let opener = "/usr/bin/xdg-open"
    #endif
    guard FileManager.default.isExecutableFile(atPath: opener) else {
      throw ReportError.file(path: opener, message: "is not installed, so open \(page.path) yourself")
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: opener)
    process.arguments = [page.path]
    process.standardOutput = FileHandle.standardError
    try process.run()
    process.waitUntilExit()
    if process.terminationStatus != 0 {
      throw ReportError.file(path: page.path, message: "\(opener) could not open it; open it yourself")
    }
  }
}
