/// One measurement of a run: a single (decayed endpoint) or a merge of endpoints, evaluated on the whole test set.
///
/// `results.jsonl` of a run folder holds one row per line.
public struct ResultRow: Codable, Hashable, Sendable {
  public enum Kind: String, Codable, Sendable { case single, merged }

  public var kind: Kind
  /// Trunk epochs (stable phase, warmup included) after which the endpoints branched.
  public var epoch: Double
  /// The same in optimizer steps.
  public var step: Int
  /// The endpoint of a single (one index), or those that were merged.
  public var endpoints: [Int]
  /// The merge method, such as `linear`; nil for singles.
  public var method: String?
  /// The merge coefficient α; nil for singles.
  public var alpha: Double?
  /// What became of the BatchNorm statistics: `average` or `reestimate`; nil without BatchNorm.
  public var batchNorm: String?
  /// Test accuracy as a fraction, 0…1.
  public var testAccuracy: Double
  /// Mean test cross-entropy in nats.
  public var testLoss: Double
  /// Singles: mean cross-entropy on the training set without augmentation, after the decay.
  public var trainLoss: Double?
  /// Singles: accuracy on the training set without augmentation, after the decay; a fraction.
  public var trainAccuracy: Double?
  /// Euclidean norm of all parameters.
  public var weightNorm: Double
  /// Merges: mean test accuracy of the endpoints merged; a fraction.
  public var singleAccuracy: Double?
  /// Merges: mean test loss of the endpoints merged.
  public var singleLoss: Double?
  /// Merges: test accuracy of the merge less the mean of its singles; a fraction, higher is better.
  public var accuracyGain: Double?
  /// Standard error of `accuracyGain` over test examples, paired; a fraction.
  public var accuracyGainError: Double?
  /// Merges: test loss of the merge less the mean of its singles; nats, lower is better.
  public var lossGain: Double?
  /// Standard error of `lossGain` over test examples, paired; nats.
  public var lossGainError: Double?

  public init(
    kind: Kind, epoch: Double, step: Int, endpoints: [Int], method: String? = nil, alpha: Double? = nil,
    batchNorm: String? = nil, testAccuracy: Double, testLoss: Double, trainLoss: Double? = nil,
    trainAccuracy: Double? = nil, weightNorm: Double, singleAccuracy: Double? = nil, singleLoss: Double? = nil,
    accuracyGain: Double? = nil, accuracyGainError: Double? = nil, lossGain: Double? = nil,
    lossGainError: Double? = nil
  ) {
    self.kind = kind
    self.epoch = epoch
    self.step = step
    self.endpoints = endpoints
    self.method = method
    self.alpha = alpha
    self.batchNorm = batchNorm
    self.testAccuracy = testAccuracy
    self.testLoss = testLoss
    self.trainLoss = trainLoss
    self.trainAccuracy = trainAccuracy
    self.weightNorm = weightNorm
    self.singleAccuracy = singleAccuracy
    self.singleLoss = singleLoss
    self.accuracyGain = accuracyGain
    self.accuracyGainError = accuracyGainError
    self.lossGain = lossGain
    self.lossGainError = lossGainError
  }
}
