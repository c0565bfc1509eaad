import Torch

/// Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019): the
/// settings and the update. The state lives with the training loop.
///
/// With the gradient g, weights w, and averages m and v, the t-th update is, in PyTorch's convention:
///
///     w ← w (1 − η λ)
///     m ← β₁ m + (1 − β₁) g,   m₀ = 0
///     v ← β₂ v + (1 − β₂) g²,  v₀ = 0
///     w ← w − η (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
public struct AdamW: Codable, Hashable, Sendable {
  /// η, the peak, which the schedule scales
  public var learningRate: Double
  /// β₁ and β₂
  public var betas: Betas
  /// ε
  public var epsilon: Double
  /// λ
  public var weightDecay: Double
  /// Whether parameters of fewer than two dimensions, such as norms and biases, have no weight decay
  public var exemptNormsAndBiases: Bool
  /// The largest norm that the gradient over all trained parameters may have; a larger one is scaled down. nil: any
  public var clip: Double?

  /// How much of the averages an update keeps, 0 ≤ β < 1. Coded as a list of two.
  public struct Betas: Hashable, Sendable {
    /// β₁, for the average of the gradient
    public var first: Double
    /// β₂, for the average of its square
    public var second: Double

    /// β₁, then β₂
    public init(_ first: Double = 0.9, _ second: Double = 0.999) {
      self.first = first
      self.second = second
    }
  }

  /// Settings whose defaults are PyTorch's.
  public init(
    learningRate: Double = 1e-3, betas: Betas = Betas(), epsilon: Double = 1e-8, weightDecay: Double = 1e-2,
    exemptNormsAndBiases: Bool = false, clip: Double? = nil
  ) {
    self.learningRate = learningRate
    self.betas = betas
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.exemptNormsAndBiases = exemptNormsAndBiases
    self.clip = clip
  }
}

extension AdamW.Betas: Codable {
  /// Reads a list of two numbers.
  public init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    first = try container.decode(Double.self)
    second = try container.decode(Double.self)
  }

  /// Writes a list of two numbers.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    try container.encode(first)
    try container.encode(second)
  }
}

extension AdamW {
  /// Makes one update of parameters and averages, in place.
  ///
  /// - Parameters:
  ///   - parameters: w
  ///   - gradients: g, of the parameters' shapes in their order
  ///   - averages: m, laid out as the parameters, zeros before the first update
  ///   - squares: v, laid out as the parameters, zeros before the first update
  ///   - count: t, a float32 number without dimensions: how many updates came before, to which this one is added
  ///   - learningRate: η of this update, in place of the peak
  /// - Throws: `TorchError` when the lists do not fit together.
  public func update(
    _ parameters: [Tensor], gradients: [Tensor], averages: [Tensor], squares: [Tensor], count: Tensor,
    learningRate: Double
  ) throws {
    try withoutGradients {
      try count.addInPlace(1)
      let isExempt = parameters.map { exemptNormsAndBiases && $0.rank < 2 }
      for group in [false, true] {
        let places = parameters.indices.filter { isExempt[$0] == group }
        func part(_ tensors: [Tensor]) -> [Tensor] { places.map { tensors[$0] } }
        try FusedOptimizer.adamW(
          parameters: part(parameters), gradients: part(gradients), averages: part(averages), squares: part(squares),
          steps: places.map { _ in count }, learningRate: learningRate, beta1: betas.first, beta2: betas.second,
          weightDecay: group ? 0 : weightDecay, epsilon: epsilon)
      }
    }
  }
}
