import Torch

/// y = γ (x − mean) / √(variance + ε) + β over the last dimension (Ba et al. 2016); input and output [..., channels].
public struct LayerNorm: Module {
  /// γ, [channels]
  public let weight: Parameter
  /// β, [channels]
  public let bias: Parameter
  let epsilon: Double

  /// A norm of γ = 1 and β = 0.
  public init(_ channels: Int, epsilon: Double = 1e-5) throws {
    weight = Parameter(try .ones([channels]))
    bias = Parameter(try .zeros([channels]))
    self.epsilon = epsilon
  }

  /// Each vector normalised.
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try input.layerNorm(weight.value.shape, weight: weight.value, bias: bias.value, epsilon: epsilon)
  }
}

/// `LayerNorm` over the channels of each pixel; input and output [N, channels, H, W]. Nothing is copied where channels
/// are innermost in memory.
public struct LayerNorm2d: Module {
  /// γ, [channels]
  public let weight: Parameter
  /// β, [channels]
  public let bias: Parameter
  let epsilon: Double

  /// A norm of γ = 1 and β = 0.
  public init(_ channels: Int, epsilon: Double = 1e-6) throws {
    weight = Parameter(try .ones([channels]))
    bias = Parameter(try .zeros([channels]))
    self.epsilon = epsilon
  }

  /// Each pixel normalised.
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try input.permute([0, 2, 3, 1])
      .layerNorm(weight.value.shape, weight: weight.value, bias: bias.value, epsilon: epsilon)
      .permute([0, 3, 1, 2])
  }
}
