import ArgumentParser
import Foundation
import Studies
import Torch
import Workbench

/// `valley run-worker`: one run, on behalf of `valley study run`.
struct RunWorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run-worker", abstract: "Perform the run of one run folder.", shouldDisplay: false)

  @Argument(help: "The run folder, with its run.json.") var folder: String
  @Flag(help: "Stop at the end of standard input.") var watchInput = false

  func run() throws {
    Libtorch.keepFreedMemory()
    if let threads = ProcessInfo.processInfo.environment["OMP_NUM_THREADS"].flatMap(Int.init), threads > 0 {
      Libtorch.setThreads(threads)
    }
    let code = RunWorker.perform(
      RunExecution.run, in: URL(fileURLWithPath: folder), versions: RunRecord.Versions.current, watchesInput: watchInput
    )
    throw ExitCode(code)
  }
}
