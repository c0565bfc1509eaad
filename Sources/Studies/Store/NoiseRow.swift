/// One measurement of gradient noise on the trunk: a row of `metrics.jsonl` whose `kind` is `noise`.
public struct NoiseRow: Codable, Hashable, Sendable {
  public var step: Int
  public var epoch: Double
  public var learningRate: Double
  /// Squared norm of the true gradient, estimated without bias; may come out negative where noise dominates.
  public var gradientNormSquared: Double
  /// tr Σ, the trace of the covariance of one example's gradient.
  public var traceCovariance: Double
  /// B_simple = tr Σ / |G|², in examples.
  public var simpleNoiseScale: Double
  public var weightNorm: Double
  public var effectiveLearningRate: Double
  /// The measured S_eff = η / (B (1−μ)^p) · tr Σ.
  public var noiseScale: Double

  public init(
    step: Int, epoch: Double, learningRate: Double, gradientNormSquared: Double, traceCovariance: Double,
    simpleNoiseScale: Double, weightNorm: Double, effectiveLearningRate: Double, noiseScale: Double
  ) {
    self.step = step
    self.epoch = epoch
    self.learningRate = learningRate
    self.gradientNormSquared = gradientNormSquared
    self.traceCovariance = traceCovariance
    self.simpleNoiseScale = simpleNoiseScale
    self.weightNorm = weightNorm
    self.effectiveLearningRate = effectiveLearningRate
    self.noiseScale = noiseScale
  }
}
