import Checkpoints
import Datasets
import Networks
import Torch

/// How well a network does on every example of a dataset.
public struct Evaluation: Sendable, Hashable {
  /// The cross-entropy of each example, in nats; for a sequence, the mean over its tokens
  public let losses: [Float]
  /// For each example, 1 if the largest logit is the label's, otherwise 0; for a sequence, the fraction of its tokens
  /// that are predicted
  public let scores: [Float]

  /// What was measured, one number of each kind for every example.
  public init(losses: [Float], scores: [Float]) {
    self.losses = losses
    self.scores = scores
  }

  /// The mean cross-entropy, in nats
  public var loss: Double { losses.reduce(0.0) { $0 + Double($1) } / Double(max(1, losses.count)) }

  /// The fraction of pictures classified correctly, or of tokens predicted
  public var accuracy: Double { scores.reduce(0.0) { $0 + Double($1) } / Double(max(1, scores.count)) }

  /// Evaluates the network in evaluation mode and float32 on every example.
  ///
  /// - Parameters:
  ///   - network: what is evaluated, on the device of the source
  ///   - source: the examples
  ///   - batchSize: examples at a time; nil: `evaluationBatchSize()`
  ///   - observe: is shown the logits and labels of every batch in turn
  /// - Throws: `TorchError` when the network does not fit the examples, and whatever reading them or `observe` throws.
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
  /// How many examples to evaluate at a time: 500, or fewer if their inputs or logits would take more than 64 MiB, as
  /// those of large pictures and large vocabularies do.
  public func evaluationBatchSize() throws -> Int {
    guard count > 0 else { return 1 }
    let example = try batch(0..<1)
    return min(500, max(1, (1 << 24) / max(1, example.inputs.count, example.labels.count * classes)))
  }
}

extension Tensor {
  /// Itself if it is [n]; the mean over each sequence, [n], if it is [n, context].
  fileprivate func exampleMeans() throws -> Tensor { rank == 1 ? self : try mean([1]) }
}

/// What a merge gains over the mean of the single networks it was made of, with standard errors over test examples,
/// paired.
public struct Gain: Sendable, Hashable {
  /// The test accuracy of the merge less the mean of its singles, as a fraction; higher is better
  public let accuracy: Double
  /// The standard error of `accuracy`, as a fraction; NaN for fewer than two examples
  public let accuracyError: Double
  /// The test loss of the merge less the mean of its singles, in nats; lower is better
  public let loss: Double
  /// The standard error of `loss`, in nats; NaN for fewer than two examples
  public let lossError: Double

  /// The gain of `merged` over `singles`, which must have been evaluated on the same examples in the same order.
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

/// Replaces a network's BatchNorm statistics by their plain average over training batches, augmentation included.
///
/// After weights are averaged, the averaged statistics are no longer those of the network's activations. No other
/// parameter changes.
///
/// - Parameters:
///   - network: what is measured and changed; tensors that it shares with other weights stay as they are
///   - batches: which batches to use, from step 0 on
///   - examples: about how many examples to use, rounded up to whole batches; nil: one epoch
public func reestimateBatchNorm(of network: any Module, on batches: any BatchStream, examples: Int? = nil) throws {
  var batches = batches
  let size = batches.batchSize
  let count = examples.map { ($0 + size - 1) / size } ?? batches.stepsPerEpoch
  try withoutGradients {
    // Shared tensors must not be written to: the weights belong to the caller.
    for (_, parameter) in network.parameters() where !parameter.isTrainable {
      parameter.value = try parameter.value.clone()
    }
    for index in 0..<max(1, count) {
      _ = try network(batches.batch(at: index).inputs, .reestimation(batch: index))
    }
  }
}
