import ArgumentParser
import Datasets
import Networks
import Studies
import Workbench

/// The options of merges that look at data: which network the models are of, and which data they are for.
struct DataMergeOptions: ParsableArguments {
  @Option(
    help: "For methods that look at data: the network, as in `valley eval`.",
    completion: .list(Architecture.Name.allCases.map(\.rawValue)))
  var model: String?
  @Option(help: "For methods that look at data: the dataset; once for all models, or once for each, in their order.")
  var data: [String] = []
  @Option(help: "The folder with a dataset's files; once for each --data.", completion: .directory)
  var dataPath: [String] = []
  @Option(help: "Take network and data from a study's file.", completion: .file()) var config: String?
  @Option(name: .customLong("run"), help: "Take network and data from a run's folder.", completion: .directory)
  var runFolder: String?
  @Option(help: "Where to compute, for methods that look at data: cpu, cuda or cuda:N.") var device: String?
  @Option(help: "The examples that a method looks at: train or test.") var split = Split.train
  @OptionGroup var batchNorm: ReestimationOptions

  func validate() throws {
    if config != nil, runFolder != nil { throw ValidationError("give one of --config and --run") }
    if !dataPath.isEmpty, dataPath.count != max(1, data.count) {
      throw ValidationError(
        "--data-path is given \(dataPath.count) times and --data \(data.count) times; give one for each")
    }
  }

  /// The options that only methods with data have.
  var given: [String] {
    [
      ("--model", model != nil), ("--data", !data.isEmpty), ("--data-path", !dataPath.isEmpty),
      ("--run", runFolder != nil), ("--config", config != nil), ("--device", device != nil),
      ("--split", split != .train), ("--reestimate-batchnorm", batchNorm.reestimate != nil),
    ].filter(\.1).map(\.0)
  }

  /// Which network, and the data of all models.
  func source(_ settings: [Setting] = []) -> RunSource {
    let named = [("model.name", model), ("device", device)].compactMap { key, value in
      value.map { Setting(key: key, value: $0) }
    }
    return RunSource(study: config, run: runFolder, settings: named + settings)
  }

  /// What --data and --data-path say: settings for all models, or for each.
  var datasets: [[Setting]] {
    (0..<max(data.count, dataPath.count)).map { place in
      [
        data.indices.contains(place) ? Setting(key: "dataset.name", value: data[place]) : nil,
        dataPath.indices.contains(place)
          ? Setting(key: "dataset.path", value: Setting.quoted(dataPath[place])) : nil,
      ].compactMap(\.self)
    }
  }
}
