import ArgumentParser
import Torch
import Workbench

/// The options that say which network weights are for and on which data they are measured.
struct SettingOptions: ParsableArguments {
  @OptionGroup var options: RunOptions
  @Option(help: "Take network and data from a study's file.") var config: String?
  @Option(name: .customLong("run"), help: "Take network and data from a run's folder.", completion: .directory)
  var runFolder: String?
  @Option(help: "Threads.  (default: the number of processors)") var threads: Int?

  func validate() throws {
    if config != nil, runFolder != nil { throw ValidationError("give one of --config and --run") }
    try validateThreads(threads)
  }

  var source: RunSource { RunSource(study: config, run: runFolder, settings: options.settings) }

  /// Readies libtorch for work on many points.
  func prepare() {
    if let threads { Libtorch.setThreads(threads) }
    Libtorch.keepFreedMemory()
  }
}

/// - Throws: `ValidationError` for a number of threads that is out of range.
func validateThreads(_ threads: Int?) throws {
  if let threads, !(1...1024).contains(threads) {
    throw ValidationError("--threads is \(threads); expected 1 … 1024")
  }
}
