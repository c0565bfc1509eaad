/// Fused optimizer steps over all parameters at once, in place. Lists hold tensors of the same shapes and strides as `parameters`.
public enum FusedOptimizer {
  /// One step of stochastic gradient descent with coupled weight decay, as `torch.optim.SGD(fused=True)`.
  /// `momentumBuffers` is empty without momentum; `isFirstStep` makes the buffers start as the gradient.
  public static func sgd(
    parameters: [Tensor], gradients: [Tensor], momentumBuffers: [Tensor], weightDecay: Double, momentum: Double,
    learningRate: Double, nesterov: Bool, isFirstStep: Bool
  ) throws {
    guard !parameters.isEmpty else { return }
    _ = try callMany(
      "aten::_fused_sgd_", parameters, gradients, momentumBuffers, weightDecay, momentum, learningRate, 0.0, nesterov,
      false, isFirstStep)
  }

  /// One step of Adam with decoupled weight decay, as `torch.optim.AdamW(fused=True)`.
  ///
  /// - Parameters:
  ///   - averages, squares: running averages of the gradient and of its square, zero before the first step
  ///   - steps: how many steps were made, this one included; one number for each parameter, float32 on the parameters' device
  public static func adamW(
    parameters: [Tensor], gradients: [Tensor], averages: [Tensor], squares: [Tensor], steps: [Tensor],
    learningRate: Double, beta1: Double, beta2: Double, weightDecay: Double, epsilon: Double
  ) throws {
    guard !parameters.isEmpty else { return }
    _ = try callMany(
      "aten::_fused_adamw_", parameters, gradients, averages, squares, [Tensor](), steps, learningRate, beta1, beta2,
      weightDecay, epsilon, false, false)
  }

  /// Scales the gradients by min(1, `maximum` / (‖g‖ + 10⁻⁶)), ‖g‖ their norm taken together, which is returned; PyTorch's
  /// `clip_grad_norm_`.
  @discardableResult public static func clipNorm(of gradients: [Tensor], to maximum: Double) throws -> Tensor {
    guard !gradients.isEmpty else { return try .zeros([]) }
    return try withoutGradients {
      let norm = try Tensor.stack(gradients.norms()).norm()
      try gradients.scaleInPlace(by: (maximum / (norm + 1e-6)).clamp(max: 1))
      return norm
    }
  }
}
