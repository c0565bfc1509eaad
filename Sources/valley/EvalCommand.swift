import ArgumentParser
import Checkpoints
import Datasets
import Foundation
import Networks
import Studies
import Torch
import Training

/// `valley eval`: how a network with the weights of a file does on a dataset.
struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Evaluate weights: accuracy and cross-entropy on the test set, the training set or both.",
    discussion: """
      Which network and data the weights are for is said with the options of `valley train`, taken from a study's file or from a run's
      folder; for a file in the checkpoints/ of a run it is known. Pictures are normalised by the training set's statistics and not
      augmented.

      EXAMPLES
        valley eval out/first/checkpoints/endpoint-832-0.safetensors
        valley eval merged.safetensors --run out/first --split both
        valley eval weights.safetensors --model resnet18 --set model.width=16 --data cifar10
        valley eval merged.safetensors --run out/first --reestimate-batchnorm 2000
      """)

  enum Which: String, CaseIterable, ExpressibleByArgument { case train, test, both }

  @Argument(help: "The weights: a file or folder, as `valley model import` takes them.", completion: .file())
  var weights: String
  @OptionGroup var options: RunOptions
  @Option(help: "Take network and data from a study's file.") var config: String?
  @Option(name: .customLong("run"), help: "Take network and data from a run's folder.", completion: .directory)
  var runFolder: String?
  @Option(help: "The examples: train, test or both.") var split = Which.test
  @Option(
    name: .customLong("reestimate-batchnorm"), defaultAsFlag: 0,
    help: ArgumentHelp(
      "Measure BatchNorm's statistics anew on N training examples first; all without N.", valueName: "n"))
  var reestimate: Int?
  @Option(help: "Threads.  (default: processors)") var threads: Int?
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    if config != nil, runFolder != nil { throw ValidationError("give one of --config and --run") }
    if let reestimate, reestimate < 0 {
      throw ValidationError("--reestimate-batchnorm is \(reestimate); expected a number of examples")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is \(threads); expected 1 … 1024")
    }
  }

  struct Row: Encodable {
    var split: Split
    var examples: Int
    var accuracy, loss: Double
    /// Of language: e to the loss.
    var perplexity: Double?
  }

  struct Summary: Encodable {
    var weights, model, dataset: String
    var reestimatedBatchNorm: Bool
    var splits: [Row]
  }

  func run() throws {
    // The file is looked at first, since reading data may take long.
    let file = try Checkpoint.read(weights)
    let configuration = try configuration()
    if let threads { Libtorch.setThreads(threads) }
    let setting = try RunSetting(configuration)
    let network = try setting.makeNetwork()
    let messages: [String]
    do {
      messages = try network.loadPretrained(file.weights, head: .kept)
    } catch let error as CheckpointError {
      throw CheckpointError(
        weights,
        "\(error.message)\nThe network is \(configuration.value(at: "model") ?? ""); name another with --model and --set model.…=…"
      )
    }
    for message in file.notes + messages { Terminal.writeError("\(message)\n") }
    try network.move(to: setting.train.device, format: .channelsLast)
    let reestimates = reestimate != nil && network.hasBatchNorm
    if let reestimate {
      guard reestimates else {
        throw CommandError("--reestimate-batchnorm: this network has no BatchNorm")
      }
      try reestimateBatchNorm(of: network, on: setting.batches(), examples: reestimate == 0 ? nil : reestimate)
    }
    let splits: [Split] = split == .both ? [.train, .test] : [split == .train ? .train : .test]
    let isLanguage = configuration.dataset.name.isText
    let rows = try splits.map { split in
      let evaluation = try Evaluation(network, on: split == .train ? setting.train : setting.test)
      return Row(
        split: split, examples: evaluation.losses.count, accuracy: evaluation.accuracy, loss: evaluation.loss,
        perplexity: isLanguage ? exp(evaluation.loss) : nil)
    }
    if json {
      return try printJSON(
        Summary(
          weights: weights, model: configuration.model.name.rawValue, dataset: configuration.dataset.name.rawValue,
          reestimatedBatchNorm: reestimates, splits: rows))
    }
    var table = TextTable(["split", "examples", "accuracy", "loss"] + (isLanguage ? ["perplexity"] : []))
    table.rows = rows.map {
      [
        $0.split.rawValue, "\($0.examples)", String(format: "%.2f %%", $0.accuracy * 100),
        String(format: "%.4f", $0.loss),
      ] + ($0.perplexity.map { [String(format: "%.2f", $0)] } ?? [])
    }
    print(table.text)
  }

  private func configuration() throws -> RunConfiguration {
    if let config { return try RunSource.configuration(config, options.settings, command: "eval") }
    if let runFolder { return try RunSource.configuration(of: URL(fileURLWithPath: runFolder), options.settings) }
    let folder = URL(fileURLWithPath: weights).deletingLastPathComponent()
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
    // Only the measuring of BatchNorm's statistics goes by training batches; nothing else should be in the way of a small dataset.
    let batch = reestimate == nil ? [Studies.Setting(key: "batch_size", value: "2")] : []
    return try RunSource.configuration(nil, batch + options.settings, command: "eval")
  }
}
