import ArgumentParser
import Checkpoints
import DataMerging
import Foundation
import Merging
import Networks
import Studies
import Torch

/// The options of merges that look at data: which network the models are of, and which data they are for.
struct DataMergeOptions: ParsableArguments {
  @Option(
    help: "For methods that look at data: the network, as in `valley eval`.",
    completion: .list(Architecture.Name.allCases.map(\.rawValue)))
  var model: String?
  @Option(help: "For methods that look at data: the dataset; once for all models, or once for each in their order.")
  var data: [String] = []
  @Option(help: "The folder of a dataset's files; once for each --data.", completion: .directory)
  var dataPath: [String] = []
  @Option(help: "Take network and data from a study's file.", completion: .file()) var config: String?
  @Option(name: .customLong("run"), help: "Take network and data from a run's folder.", completion: .directory)
  var runFolder: String?
  @Option(help: "Where networks compute for methods that look at data: cpu, cuda or cuda:N.") var device: String?
  @Option(help: "The examples that a method looks at: train or test.") var split = EvalCommand.Which.train
  @Option(
    name: .customLong("reestimate-batchnorm"), defaultAsFlag: 0,
    help: ArgumentHelp(
      "For methods that look at data: measure the merge's BatchNorm statistics anew on N training examples; all without N.",
      valueName: "n"))
  var reestimate: Int?

  func validate() throws {
    if config != nil, runFolder != nil { throw ValidationError("give one of --config and --run") }
    if split == .both { throw ValidationError("--split is both; a method looks at train or test") }
    if let reestimate, reestimate < 0 {
      throw ValidationError("--reestimate-batchnorm is \(reestimate); expected a number of examples")
    }
    if !dataPath.isEmpty, dataPath.count != max(1, data.count) {
      throw ValidationError(
        "--data-path is given \(dataPath.count) times and --data \(data.count) times; give one each")
    }
  }

  /// The options that only methods with data have.
  var given: [String] {
    [
      ("--model", model != nil), ("--data", !data.isEmpty), ("--data-path", !dataPath.isEmpty),
      ("--run", runFolder != nil),
      ("--config", config != nil), ("--device", device != nil), ("--split", split != .train),
      ("--reestimate-batchnorm", reestimate != nil),
    ].filter(\.1).map(\.0)
  }

  /// What --data and --data-path say: values of the configuration for all models, or for each.
  var datasets: [[Studies.Setting]] {
    func quoted(_ text: String) -> String { "'" + text.replacingOccurrences(of: "'", with: "''") + "'" }
    return (0..<max(data.count, dataPath.count)).map { place in
      [
        data.indices.contains(place) ? Studies.Setting(key: "dataset.name", value: data[place]) : nil,
        dataPath.indices.contains(place) ? Studies.Setting(key: "dataset.path", value: quoted(dataPath[place])) : nil,
      ].compactMap(\.self)
    }
  }

  /// One configuration for all models, or one each.
  /// - Parameters:
  ///   - path: the first model's
  ///   - settings: values of the configuration besides the data
  func configurations(
    _ path: String, datasets: [[Studies.Setting]], _ settings: [Studies.Setting], method: String
  ) throws -> [RunConfiguration] {
    let named = [("model.name", model), ("device", device)]
    let network = named.compactMap { key, value in value.map { Studies.Setting(key: key, value: $0) } } + settings
    return try (datasets.isEmpty ? [[]] : datasets).map { dataset in
      let command = "merge \(method)"
      if let config { return try RunSource.configuration(config, dataset + network, command: command) }
      let checkpoints = URL(fileURLWithPath: path).deletingLastPathComponent()
      let owner = runFolder.map { URL(fileURLWithPath: $0) } ?? checkpoints.deletingLastPathComponent()
      let isOfRun =
        checkpoints.lastPathComponent == "checkpoints"
        && FileManager.default.fileExists(atPath: owner.appendingPathComponent("run.json").path)
      if runFolder != nil || isOfRun { return try RunSource.configuration(of: owner, dataset + network) }
      guard network.contains(where: { $0.key.hasPrefix("model") }) else {
        throw CommandError(
          "\(method) looks at data: which network are these models? Say --model NAME and --data NAME (once, or once a model), "
            + "--config STUDY.yaml or --run FOLDER")
      }
      // Only BatchNorm's statistics go by training batches.
      let batch = reestimate == nil ? [Studies.Setting(key: "batch_size", value: "2")] : []
      return try RunSource.configuration(nil, batch + dataset + network, command: command)
    }
  }
}
