import ArgumentParser
import Datasets
import Foundation
import Landscape
import Support
import Workbench

/// `valley eval`: how a network with the weights of a file does on a dataset.
struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Evaluate weights: accuracy and cross-entropy on the test set, the training set or both.",
    discussion: """
      Name the network and data with the options of `valley train`, or take them from a study's file or a run's \
      folder. For a file in the checkpoints/ of a run they are known. Pictures are normalised by the training set's \
      statistics and not augmented.

      EXAMPLES
        valley eval out/first/checkpoints/endpoint-832-0.safetensors
        valley eval merged.safetensors --run out/first --split both
        valley eval weights.safetensors --model resnet18 --set model.width=16 --data cifar10
        valley eval merged.safetensors --run out/first --reestimate-batchnorm 2000
      """)

  @Argument(help: "The weights: a file or folder, as for `valley model import`.", completion: .file())
  var weights: String
  @OptionGroup var options: SettingOptions
  @Option(help: "The examples: train, test or both.") var split = Measuring.Part.test
  @OptionGroup var batchNorm: ReestimationOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    options.prepare()
    let splits: [Split] = split == .both ? [.train, .test] : [split == .train ? .train : .test]
    let found = try CheckpointEvaluation(
      of: weights, from: options.source, splits: splits, reestimateBatchNorm: batchNorm.policy,
      report: Reporter().listener)
    if json { return try printJSON(found) }
    let isLanguage = found.splits.contains { $0.perplexity != nil }
    var table = TextTable(["split", "examples", "accuracy", "loss"] + (isLanguage ? ["perplexity"] : []))
    table.rows = found.splits.map {
      [
        $0.split.rawValue, "\($0.examples)", String(format: "%.2f %%", $0.accuracy * 100),
        String(format: "%.4f", $0.loss),
      ] + ($0.perplexity.map { [String(format: "%.2f", $0)] } ?? [])
    }
    print(table.text)
  }
}
