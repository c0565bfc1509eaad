import Training

/// What is measured along the way.
public struct MeasureChoice: Codable, Hashable, Sendable {
  public struct Noise: Codable, Hashable, Sendable {
    public var every: TrainingLength
    public var microbatches: Int

    public init(every: TrainingLength = .steps(100), microbatches: Int = 8) {
      self.every = every
      self.microbatches = microbatches
    }
  }
  /// Gradient noise on the trunk; nil: not measured.
  public var noise: Noise?
  /// p in S̃ = η / (B (1−μ)^p): 1 or 2.
  public var momentumExponent: Int
  /// nil: not measured.
  public var landscape: LandscapeChoice?

  public init(noise: Noise? = .init(), momentumExponent: Int = 1, landscape: LandscapeChoice? = nil) {
    self.noise = noise
    self.momentumExponent = momentumExponent
    self.landscape = landscape
  }
}
