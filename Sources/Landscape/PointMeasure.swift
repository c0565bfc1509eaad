import Checkpoints
import Datasets
import Networks
import Torch
import Training
import Weights

/// How the network does at one point of weight space.
public struct PointMeasure: Codable, Hashable, Sendable {
  /// On one set of examples.
  public struct Score: Codable, Hashable, Sendable {
    /// Mean cross-entropy, nats
    public var loss: Double
    /// Fraction of pictures classified correctly, or of tokens told right
    public var accuracy: Double

    public init(loss: Double, accuracy: Double) { (self.loss, self.accuracy) = (loss, accuracy) }
    public init(_ evaluation: Evaluation) { self.init(loss: evaluation.loss, accuracy: evaluation.accuracy) }
  }

  /// Without augmentation.
  public var train: Score?
  public var test: Score?

  public init(train: Score? = nil, test: Score? = nil) { (self.train, self.test) = (train, test) }
}

/// Puts a network at points of weight space and measures it there. It owns the network while it is in use and belongs to one task.
public final class PointEvaluator {
  public let network: any Module
  public let train: PreparedExamples?
  public let test: PreparedExamples?
  /// `off` where the network has no BatchNorm, whatever was asked for.
  public let batchNorm: BatchNormPolicy
  private let batches: PreparedBatches?
  /// Batches that BatchNorm is re-estimated on, and the examples in them.
  private let reestimated: (batches: Int, examples: Int)

  /// - Parameters:
  ///   - train, test: what to measure on; nil: not at all
  ///   - batches: training batches that BatchNorm's statistics are measured on
  /// - Throws: `LandscapeError` when there is nothing to re-estimate BatchNorm on, `DatasetError`, `TorchError`.
  public init(
    _ network: any Module, train: PreparedExamples?, test: PreparedExamples?, batchNorm: BatchNormPolicy,
    batches: (any BatchStream)? = nil
  ) throws {
    (self.network, self.train, self.test) = (network, train, test)
    self.batchNorm = network.hasBatchNorm ? batchNorm : .off
    guard self.batchNorm != .off else {
      (self.batches, reestimated) = (nil, (0, 0))
      return
    }
    guard let batches else { throw LandscapeError("BatchNorm is to be re-estimated and there are no training batches") }
    var count = batches.stepsPerEpoch
    if case .subset(let examples) = batchNorm {
      // More than an epoch would show the same examples again.
      count = min(count, (examples + batches.batchSize - 1) / batches.batchSize)
    }
    reestimated = (max(1, count), max(1, count) * batches.batchSize)
    self.batches = try PreparedBatches(batches, count: max(1, count))
  }

  /// What was done about BatchNorm, for captions; nil where the network has none.
  public var batchNormWords: String? {
    guard network.hasBatchNorm else { return nil }
    return batchNorm == .off ? batchNorm.words : BatchNormPolicy.subset(reestimated.examples).words
  }

  /// Puts the network at a point, BatchNorm's statistics re-estimated there. The weights are shared, not copied, and keep their own
  /// statistics.
  public func move(to weights: Weights) throws {
    try network.load(weights)
    if let batches { try reestimateBatchNorm(of: network, on: batches, examples: reestimated.examples) }
  }

  /// The network's logits are not kept; the two evaluations, where asked for, tell each example's loss.
  public func evaluations(at weights: Weights) throws -> (train: Evaluation?, test: Evaluation?) {
    try move(to: weights)
    func evaluate(_ examples: PreparedExamples?) throws -> Evaluation? {
      try examples.map { try Evaluation(network, on: $0, batchSize: $0.batchSize) }
    }
    return (try evaluate(train), try evaluate(test))
  }

  public func measure(at weights: Weights) throws -> PointMeasure {
    let (train, test) = try evaluations(at: weights)
    return PointMeasure(train: train.map { .init($0) }, test: test.map { .init($0) })
  }
}
