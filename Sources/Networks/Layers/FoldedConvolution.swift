import Torch

/// A convolution and the norm of its result as one convolution, for evaluation, which saves passes over the result:
/// y = (W γ / √(variance + ε)) x + β + γ (b − mean) / √(variance + ε).
///
/// Evaluation views (`Module.evaluationView`) are made of these. They have no gradient.
struct FoldedConvolution {
  private let weight, bias: Tensor
  private let stride, padding, groups: Int

  init(_ convolution: Conv2d, _ norm: BatchNorm2d) throws {
    let scale = try norm.weight.value * (norm.runningVar.value + norm.epsilon).rsqrt()
    let centre = try convolution.bias.map { try norm.runningMean.value - $0.value } ?? norm.runningMean.value
    weight = try convolution.weight.value * scale.view([-1, 1, 1, 1])
    bias = try norm.bias.value - centre * scale
    (stride, padding, groups) = (convolution.stride, convolution.padding, convolution.groups)
  }

  /// [N, inputs, H, W] to [N, outputs, H', W'].
  func callAsFunction(_ input: Tensor) throws -> Tensor {
    try input.conv2d(weight, bias, stride: stride, padding: padding, groups: groups)
  }

  /// max(y, 0), or max(y + other, 0), which is written into the memory of `other`.
  func rectified(_ input: Tensor, adding other: Tensor? = nil) throws -> Tensor {
    try input.rectifiedConv2d(
      weight, bias, adding: other, overwriting: true, stride: stride, padding: padding, groups: groups)
  }
}
