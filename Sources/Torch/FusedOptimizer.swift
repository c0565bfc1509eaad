/// Optimizer steps over all parameters at once, in place. The tensors of every list have the shapes and strides of
/// `parameters`. Each method throws `TorchError` for lists that do not fit together.
public enum FusedOptimizer {
  /// One step of stochastic gradient descent with coupled weight decay, as `torch.optim.SGD(fused=True)` makes it:
  /// g ← g + λ w, v ← μ v + g, w ← w − η v, or w ← w − η (g + μ v) with Nesterov.
  ///
  /// - Parameters:
  ///   - parameters: w
  ///   - gradients: g, which is not changed
  ///   - momentumBuffers: v; empty without momentum
  ///   - weightDecay: λ
  ///   - momentum: μ
  ///   - learningRate: η
  ///   - nesterov: whether to look ahead by one velocity; needs momentum
  ///   - isFirstStep: whether the buffers start as the gradient instead of being read
  public static func sgd(
    parameters: [Tensor], gradients: [Tensor], momentumBuffers: [Tensor], weightDecay: Double, momentum: Double,
    learningRate: Double, nesterov: Bool, isFirstStep: Bool
  ) throws {
    guard !parameters.isEmpty else { return }
    _ = try callMany(
      "aten::_fused_sgd_", parameters, gradients, momentumBuffers, weightDecay, momentum, learningRate, 0.0, nesterov,
      false, isFirstStep)
  }

  /// One step of Adam with decoupled weight decay, as `torch.optim.AdamW(fused=True)` makes it. `AdamW` in the library
  /// Training has the formula.
  ///
  /// - Parameters:
  ///   - parameters: what is updated
  ///   - gradients: of each parameter
  ///   - averages: running averages of the gradients, zero before the first step
  ///   - squares: running averages of their squares, zero before the first step
  ///   - steps: how many steps there are with this one, a number for each parameter, float32 on the parameters' device
  ///   - learningRate: η
  ///   - beta1: how much of the averages is kept
  ///   - beta2: how much of the averages of squares is kept
  ///   - weightDecay: λ
  ///   - epsilon: what is added to the root of the average square
  public static func adamW(
    parameters: [Tensor], gradients: [Tensor], averages: [Tensor], squares: [Tensor], steps: [Tensor],
    learningRate: Double, beta1: Double, beta2: Double, weightDecay: Double, epsilon: Double
  ) throws {
    guard !parameters.isEmpty else { return }
    _ = try callMany(
      "aten::_fused_adamw_", parameters, gradients, averages, squares, [Tensor](), steps, learningRate, beta1, beta2,
      weightDecay, epsilon, false, false)
  }

  /// Scales the gradients in place by min(1, `maximum` / (‖g‖ + 10⁻⁶)), where ‖g‖ is the Euclidean norm of all of them
  /// together; `torch.nn.utils.clip_grad_norm_`.
  ///
  /// - Returns: ‖g‖ before scaling, a tensor without dimensions.
  @discardableResult public static func clipNorm(of gradients: [Tensor], to maximum: Double) throws -> Tensor {
    guard !gradients.isEmpty else { return try .zeros([]) }
    return try withoutGradients {
      let norm = try Tensor.stack(gradients.norms()).norm()
      try gradients.scaleInPlace(by: (maximum / (norm + 1e-6)).clamp(max: 1))
      return norm
    }
  }
}
