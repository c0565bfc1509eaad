import Schema
import Training

/// What is measured along the way.
public struct MeasureChoice: Codable, Hashable, Sendable {
  /// How gradient noise is measured along the trunk (McCandlish et al. 2018, appendix A).
  public struct Noise: Codable, Hashable, Sendable {
    /// How often.
    public var every: TrainingLength
    /// How many parts a batch is cut into, to compare their gradients, 2 … 1024.
    public var microbatches: Int

    /// By default every 100 steps, on eighths of a batch.
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

  /// By default gradient noise alone, with p = 1 in the proxy.
  public init(noise: Noise? = .init(), momentumExponent: Int = 1, landscape: LandscapeChoice? = nil) {
    self.noise = noise
    self.momentumExponent = momentumExponent
    self.landscape = landscape
  }
}

extension MeasureChoice {
  static let section = Section(MeasureChoice()) {
    Key(
      "noise", \.noise, .section(Noise.section), takesNone: true,
      "gradient noise along the trunk; none: it is not measured")
    Key(
      "momentum_exponent", \.momentumExponent, .integer(.within(1...2), "1 or 2"), synonyms: ["p"],
      "the power p in the proxy of the noise scale, η / (B (1 − μ)^p)")
    Key(
      "landscape", \.landscape, .section(LandscapeChoice.section),
      "the loss around and between endpoints; it is not measured unless this is there")
  }
}

extension MeasureChoice.Noise {
  static let section = Section(MeasureChoice.Noise()) {
    Key("every", \.every, .length(isPositive: true), "how often gradient noise is measured")
    Key(
      "microbatches", \.microbatches, .integer(.within(2...1024)),
      "how many parts a batch is cut into, to compare their gradients")
  }
}
