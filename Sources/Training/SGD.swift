/// Stochastic gradient descent with momentum; the settings only, the state lives with the training loop.
///
/// For gradient g, weights w, velocity v (PyTorch's convention, no dampening):
///
///     g ← g + λ w                          coupled weight decay
///     w ← w (1 − η λ)                      decoupled weight decay
///     v ← μ v + g,  v₀ = g
///     w ← w − η v                          or  w − η (g + μ v) with Nesterov
public struct SGD: Codable, Hashable, Sendable {
  /// η, the peak; the schedule scales it
  public var learningRate: Double
  /// μ, 0 ≤ μ < 1
  public var momentum: Double
  /// λ
  public var weightDecay: Double
  /// Needs momentum above 0.
  public var nesterov: Bool
  /// Shrink the weights directly instead of adding λ w to the gradient.
  public var decoupledWeightDecay: Bool

  public init(
    learningRate: Double = 0.1, momentum: Double = 0.9, weightDecay: Double = 5e-4, nesterov: Bool = false,
    decoupledWeightDecay: Bool = false
  ) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.nesterov = nesterov
    self.decoupledWeightDecay = decoupledWeightDecay
  }
}
