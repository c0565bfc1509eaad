import ArgumentParser
import Checkpoints
import Datasets
import Foundation
import Networks
import Studies
import Support
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
  @OptionGroup var options: SettingOptions
  @Option(help: "The examples: train, test or both.") var split = Which.test
  @Option(
    name: .customLong("reestimate-batchnorm"), defaultAsFlag: 0,
    help: ArgumentHelp(
      "Measure BatchNorm's statistics anew on N training examples first; all without N.", valueName: "n"))
  var reestimate: Int?
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    if let reestimate, reestimate < 0 {
      throw ValidationError("--reestimate-batchnorm is \(reestimate); expected a number of examples")
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
    let configuration = try options.configuration(of: weights, command: "eval", usesBatches: reestimate != nil)
    if let threads = options.threads { Libtorch.setThreads(threads) }
    let setting = try PreparedRun(configuration)
    let network = try setting.makeNetwork()
    for message in try configuration.load(file, into: network, on: setting.device) {
      Terminal.writeError("\(message)\n")
    }
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
}
