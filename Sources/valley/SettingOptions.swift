import ArgumentParser
import Foundation
import Studies

/// The options that say which network weights are for and which data it is to be measured on: `valley eval`, `valley landscape`.
struct SettingOptions: ParsableArguments {
  @OptionGroup var options: RunOptions
  @Option(help: "Take network and data from a study's file.") var config: String?
  @Option(name: .customLong("run"), help: "Take network and data from a run's folder.", completion: .directory)
  var runFolder: String?
  @Option(help: "Threads.  (default: processors)") var threads: Int?

  func validate() throws {
    if config != nil, runFolder != nil { throw ValidationError("give one of --config and --run") }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is \(threads); expected 1 … 1024")
    }
  }

  /// The configuration of the weights at `path`: of --config, of --run, of the run whose checkpoint they are, or as --model and --data say.
  /// - Parameter usesBatches: whether training batches are needed; where not, their size is not in the way of a small dataset
  func configuration(of path: String, command: String, usesBatches: Bool) throws -> RunConfiguration {
    if let config { return try RunSource.configuration(config, options.settings, command: command) }
    if let runFolder { return try RunSource.configuration(of: URL(fileURLWithPath: runFolder), options.settings) }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    let owner = folder.deletingLastPathComponent()
    if folder.lastPathComponent == "checkpoints",
      FileManager.default.fileExists(atPath: owner.appendingPathComponent("run.json").path)
    {
      return try RunSource.configuration(of: owner, options.settings)
    }
    guard options.model != nil || options.text != nil || options.set.contains(where: { $0.hasPrefix("model") }) else {
      throw CommandError(
        "which network are these weights for? Say --model NAME (and --data NAME), --config STUDY.yaml or --run FOLDER")
    }
    let batch = usesBatches ? [] : [Studies.Setting(key: "batch_size", value: "2")]
    return try RunSource.configuration(nil, batch + options.settings, command: command)
  }
}
