import Checkpoints
import Landscape
import Networks
import Support
import Training
import Weights
import YAML

extension LandscapeSession {
  /// Where BatchNorm's statistics come from at each point; measures on examples are not its business.
  func placer() throws -> PointEvaluator {
    let reestimates = options.batchNorm != .off && network.hasBatchNorm
    return try PointEvaluator(
      network, train: nil, test: nil, batchNorm: options.batchNorm, batches: reestimates ? setting.batches() : nil)
  }

  /// The weights of each point with BatchNorm's statistics as the options say.
  func placed(_ weights: [Weights], by placer: PointEvaluator) throws -> [Weights] {
    try weights.map { try placer.settled($0) }
  }

  /// The examples of one split: the one asked for, or where both were, `usual`.
  func examples(usual: EvalCommand.Which, limit: Int? = nil) throws -> (examples: PreparedExamples, words: String) {
    let which = options.split == .both ? usual : options.split
    let isTraining = which == .train
    let examples = try PreparedExamples(
      isTraining ? setting.train : setting.test, limit: options.examples ?? limit)
    return (examples, "the first \(examples.count) \(isTraining ? "training" : "test") examples, not augmented")
  }

  /// "resnet18 on cifar10; the first 1000 training examples; BatchNorm re-estimated …", for captions.
  func words(_ examples: String, _ placer: PointEvaluator) -> String {
    [
      "\(configuration.model.name.rawValue) on \(configuration.dataset.name.rawValue)", examples, placer.batchNormWords,
    ].compactMap(\.self).joined(separator: "; ")
  }

  /// The layers that a text on the command line names: `all`, or names with commas between them.
  func layers(_ text: String, on examples: PreparedExamples) throws -> [String] {
    let known = try CKA.layers(of: network, on: examples)
    if text == "all" { return known }
    return try text.split(separator: ",").map { part in
      let name = part.filter { $0 != " " }
      guard known.contains(name) || name == CKA.penultimate else {
        let guess = closest(to: name, in: known + [CKA.penultimate]).map { "; did you mean '\($0)'?" } ?? "."
        throw CommandError(
          "--layers: the network has no layer '\(name)'\(guess) Layers are all, \(CKA.penultimate), "
            + known.joined(separator: ", "))
      }
      return name
    }
  }
}
