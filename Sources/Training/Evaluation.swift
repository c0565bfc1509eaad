import Checkpoints
import Datasets
import Networks
import Torch

/// How a network does on every example of a dataset.
public struct Evaluation: Sendable, Hashable {
  /// Cross-entropy of each example, nats; of a sequence the mean over its tokens
  public let losses: [Float]
  /// 1 where the largest logit is the label's and 0 elsewhere, by example; of a sequence the fraction of its tokens told right
  public let scores: [Float]

  public init(losses: [Float], scores: [Float]) {
    self.losses = losses
    self.scores = scores
  }

  /// Mean cross-entropy, nats
  public var loss: Double { losses.reduce(0.0) { $0 + Double($1) } / Double(max(1, losses.count)) }

  /// Fraction of pictures classified correctly, or of tokens told right
  public var accuracy: Double { scores.reduce(0.0) { $0 + Double($1) } / Double(max(1, scores.count)) }

  /// Evaluates the network in evaluation mode and float32 on every example.
  ///
  /// - Parameters:
  ///   - batchSize: examples at a time; nil: as many as memory does not mind, 500 at most
  ///   - observe: is shown the logits and labels of one batch after the other
  public init(
    _ network: any Module, on source: any ExampleSource, batchSize: Int? = nil,
    observing observe: (_ logits: Tensor, _ labels: Tensor) throws -> Void = { _, _ in }
  ) throws {
    var losses: [Float] = []
    var scores: [Float] = []
    try withoutGradients {
      for range in try source.ranges(ofAtMost: batchSize ?? source.evaluationBatchSize()) {
        let batch = try source.batch(range)
        let logits = try network(batch.inputs, .evaluation)
        let isRight = try logits.argmax(-1).equals(batch.labels)
        losses += try CrossEntropy.ofEach(logits, batch.labels).exampleMeans().array(Float.self)
        try observe(logits, batch.labels)
        scores += try isRight.to(.float32).exampleMeans().array(Float.self)
      }
    }
    self.init(losses: losses, scores: scores)
  }
}

extension ExampleSource {
  /// 500, or fewer where the inputs or logits of so many would take more than 64 MiB: large pictures, sequences with a vocabulary.
  public func evaluationBatchSize() throws -> Int {
    guard count > 0 else { return 1 }
    let example = try batch(0..<1)
    return min(500, max(1, (1 << 24) / max(1, example.inputs.count, example.labels.count * classes)))
  }
}

extension Tensor {
  /// [n] as it is; [n, context] as the mean over each sequence, [n].
  fileprivate func exampleMeans() throws -> Tensor { rank == 1 ? self : try mean([1]) }
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
    (accuracy, accuracyError) = paired { Double($0.scores[$1]) }
    (loss, lossError) = paired { Double($0.losses[$1]) }
  }
}

/// Replaces the network's BatchNorm statistics by their plain average over training batches, augmentation included: after weights are
/// averaged, the averaged statistics are no longer those of the network's activations. No other parameter changes.
///
/// - Parameters:
///   - batches: the first of these are used, from step 0 on
///   - examples: about how many examples to use, rounded up to whole batches; nil: one epoch
public func reestimateBatchNorm(of network: any Module, on batches: any BatchStream, examples: Int? = nil) throws {
  var batches = batches
  let size = batches.batchSize
  let count = examples.map { ($0 + size - 1) / size } ?? batches.stepsPerEpoch
  try withoutGradients {
    // Shared tensors must not be written to: the point in weight space belongs to the caller.
    for (_, parameter) in network.parameters() where !parameter.isTrainable {
      parameter.value = try parameter.value.clone()
    }
    for index in 0..<max(1, count) {
      _ = try network(batches.batch(at: index).inputs, .reestimation(batch: index))
    }
  }
}
