import Checkpoints
import Datasets
import Networks
import Torch

/// How a network does on every example of a dataset.
public struct Evaluation: Sendable, Hashable {
  /// Cross-entropy of each example, nats
  public let losses: [Float]
  /// Whether the largest logit is the label's, by example
  public let correct: [Bool]

  public init(losses: [Float], correct: [Bool]) {
    self.losses = losses
    self.correct = correct
  }

  /// Mean cross-entropy, nats
  public var loss: Double { losses.reduce(0.0) { $0 + Double($1) } / Double(max(1, losses.count)) }

  /// Fraction classified correctly
  public var accuracy: Double { Double(correct.count { $0 }) / Double(max(1, correct.count)) }

  /// Evaluates the network in evaluation mode and float32 over the whole dataset.
  public init(_ network: any Module, on dataset: DeviceDataset, batchSize: Int = 500) throws {
    var losses: [Float] = []
    var correct: [Bool] = []
    try withoutGradients {
      for range in dataset.ranges(ofAtMost: batchSize) {
        let batch = try dataset.batch(range)
        let logits = try network(batch.images, .evaluation)
        losses += try logits.crossEntropy(batch.labels, reduction: .none).array(Float.self)
        correct += try logits.argmax(1).equals(batch.labels).array(Bool.self)
      }
    }
    self.init(losses: losses, correct: correct)
  }
}

/// What a merge gains over the mean of the singles it was made of, with paired standard errors over test examples.
public struct Gain: Sendable, Hashable {
  /// Test accuracy of the merge less the mean of its singles; a fraction, higher is better
  public let accuracy: Double
  public let accuracyError: Double
  /// Test loss of the merge less the mean of its singles; nats, lower is better
  public let loss: Double
  public let lossError: Double

  /// - Parameters: evaluations of the merge and of its singles on the same examples in the same order
  public init(of merged: Evaluation, over singles: [Evaluation]) {
    func paired(_ value: (Evaluation, Int) -> Double) -> (mean: Double, error: Double) {
      let count = merged.losses.count
      let differences = (0..<count).map { example in
        value(merged, example) - singles.reduce(0) { $0 + value($1, example) } / Double(singles.count)
      }
      let mean = differences.reduce(0, +) / Double(max(1, count))
      let squares = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (mean, count > 1 ? (squares / Double(count - 1) / Double(count)).squareRoot() : .nan)
    }
    (accuracy, accuracyError) = paired { $0.correct[$1] ? 1 : 0 }
    (loss, lossError) = paired { Double($0.losses[$1]) }
  }
}

/// Replaces the network's BatchNorm statistics by their plain average over training batches, augmentation included: after weights are
/// averaged, the averaged statistics are no longer those of the network's activations. No other parameter changes.
///
/// - Parameters:
///   - batches: the first of these are used, from step 0 on
///   - examples: about how many examples to use, rounded up to whole batches; nil: one epoch
public func reestimateBatchNorm(of network: any Module, on batches: TrainingBatches, examples: Int? = nil) throws {
  var batches = batches
  let size = batches.batchSize
  let count = examples.map { ($0 + size - 1) / size } ?? batches.stepsPerEpoch
  try withoutGradients {
    // Shared tensors must not be written to: the point in weight space belongs to the caller.
    for (_, parameter) in network.parameters() where !parameter.isTrainable {
      parameter.value = try parameter.value.clone()
    }
    for index in 0..<max(1, count) {
      _ = try network(batches.batch(at: index).images, .reestimation(batch: index))
    }
  }
}
