import Torch

/// Stochastic gradient descent with momentum: the settings and the update. The state lives with the training loop.
///
/// With the gradient g, weights w and velocity v, an update is, in PyTorch's convention without dampening:
///
///     g ← g + λ w                          coupled weight decay
///     w ← w (1 − η λ)                      decoupled weight decay
///     v ← μ v + g,  v₀ = g
///     w ← w − η v                          or  w − η (g + μ v) with Nesterov
public struct SGD: Codable, Hashable, Sendable {
  /// η, the peak, which the schedule scales
  public var learningRate: Double
  /// μ, 0 ≤ μ < 1
  public var momentum: Double
  /// λ
  public var weightDecay: Double
  /// Whether to look ahead by one velocity (Nesterov); needs a momentum above 0
  public var nesterov: Bool
  /// Whether to shrink the weights directly instead of adding λ w to the gradient
  public var decoupledWeightDecay: Bool
  /// The largest norm that the gradient over all trained parameters may have; a larger one is scaled down. nil: any
  public var clip: Double?

  /// Settings whose defaults are common for residual networks on CIFAR.
  public init(
    learningRate: Double = 0.1, momentum: Double = 0.9, weightDecay: Double = 5e-4, nesterov: Bool = false,
    decoupledWeightDecay: Bool = false, clip: Double? = nil
  ) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.nesterov = nesterov
    self.decoupledWeightDecay = decoupledWeightDecay
    self.clip = clip
  }
}

extension SGD {
  /// Makes one update of parameters and velocity, in place.
  ///
  /// - Parameters:
  ///   - parameters: w
  ///   - gradients: g, of the parameters' shapes in their order
  ///   - velocity: v, laid out as the parameters, zeros before the first update; empty without momentum
  ///   - learningRate: η of this update, in place of the peak
  /// - Throws: `TorchError` when the lists do not fit together.
  public func update(_ parameters: [Tensor], gradients: [Tensor], velocity: [Tensor], learningRate: Double) throws {
    try withoutGradients {
      if decoupledWeightDecay, weightDecay != 0 { try parameters.scaleInPlace(by: 1 - learningRate * weightDecay) }
      try FusedOptimizer.sgd(
        parameters: parameters, gradients: gradients, momentumBuffers: velocity,
        weightDecay: decoupledWeightDecay ? 0 : weightDecay, momentum: momentum, learningRate: learningRate,
        // The velocity starts at zero, which makes the first step like every other.
        nesterov: nesterov, isFirstStep: false)
    }
  }
}
