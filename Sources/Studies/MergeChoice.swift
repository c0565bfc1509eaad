extension RunConfiguration {
  /// How the endpoints of a branch point are merged, pair by pair.
  public struct Merge: Codable, Hashable, Sendable {
    public enum BatchNorm: String, Codable, CaseIterable, Sendable {
      /// Statistics are averaged like weights.
      case average
      /// Statistics are measured anew on training examples.
      case reestimate
    }
    /// Weights of the second endpoint, α in (1−α) θ_A + α θ_B.
    public var alphas: [Double]
    public var batchNorm: BatchNorm
    /// Training examples for `reestimate`; nil: all in use.
    public var batchNormSamples: Int?

    public init(alphas: [Double] = [0.5], batchNorm: BatchNorm = .average, batchNormSamples: Int? = nil) {
      self.alphas = alphas
      self.batchNorm = batchNorm
      self.batchNormSamples = batchNormSamples
    }
  }
}
