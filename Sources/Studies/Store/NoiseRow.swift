/// One measurement of gradient noise on the trunk: a row of `metrics.jsonl` whose `kind` is `noise`.
public struct NoiseRow: Codable, Hashable, Sendable {
  /// Optimizer steps of the trunk before it.
  public var step: Int
  /// The same in epochs.
  public var epoch: Double
  /// η at that step.
  public var learningRate: Double
  /// Squared norm of the true gradient, estimated without bias; may come out negative where noise dominates.
  public var gradientNormSquared: Double
  /// tr Σ, the trace of the covariance of one example's gradient.
  public var traceCovariance: Double
  /// B_simple = tr Σ / |G|², in examples.
  public var simpleNoiseScale: Double
  /// ‖w‖ over all trainable parameters.
  public var weightNorm: Double
  /// η / ‖w‖².
  public var effectiveLearningRate: Double
  /// The measured S_eff = η / (B (1−μ)^p) · tr Σ.
  public var noiseScale: Double
}
