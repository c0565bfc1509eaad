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
    /// Fraction of pictures classified correctly, or of tokens predicted correctly
    public var accuracy: Double

    /// A score of these values.
    public init(loss: Double, accuracy: Double) { (self.loss, self.accuracy) = (loss, accuracy) }
    /// The means over the examples of an evaluation.
    public init(_ evaluation: Evaluation) { self.init(loss: evaluation.loss, accuracy: evaluation.accuracy) }
  }

  /// On training examples, without augmentation; nil: not measured.
  public var train: Score?
  /// On test examples; nil: not measured.
  public var test: Score?

  /// What was measured; nil: not.
  public init(train: Score? = nil, test: Score? = nil) { (self.train, self.test) = (train, test) }
}

/// Puts a network at points of weight space, measures it there, and puts it back. It belongs to one task.
public final class PointEvaluator {
  /// What is measured.
  public let network: any Module
  /// nil: not measured on training examples.
  public let train: PreparedExamples?
  /// nil: not measured on test examples.
  public let test: PreparedExamples?
  /// `off` where the network has no BatchNorm, whatever was asked for.
  public let batchNorm: BatchNormPolicy
  private let batches: PreparedBatches?
  /// Batches that BatchNorm is re-estimated on, and the examples in them.
  private let reestimated: (batches: Int, examples: Int)

  /// An evaluator of one network.
  ///
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

  private func at<Result>(_ weights: Weights, _ body: () throws -> Result) throws -> Result {
    try network.at(weights) {
      if let batches { try reestimateBatchNorm(of: network, on: batches, examples: reestimated.examples) }
      return try body()
    }
  }

  /// The point as the network is measured there: with BatchNorm's statistics re-estimated, where that is wanted.
  /// Trained tensors are shared with `weights`, which keep their own statistics.
  ///
  /// - Throws: `FileError` for weights that are not the network's.
  public func settled(_ weights: Weights) throws -> Weights { try at(weights) { network.weights } }

  /// Loss and accuracy at a point; nil for a set of examples that is not measured on.
  ///
  /// - Throws: `FileError` for weights that are not the network's.
  public func measure(at weights: Weights) throws -> PointMeasure {
    func score(_ examples: PreparedExamples?) throws -> PointMeasure.Score? {
      try examples.map { .init(try Evaluation(network, on: $0, batchSize: $0.batchSize)) }
    }
    return try at(weights) { try PointMeasure(train: score(train), test: score(test)) }
  }
}
