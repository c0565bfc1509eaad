import Torch

/// Cross-correlation; input [N, inputs, H, W], output [N, outputs, H', W'].
public struct Conv2d: Module {
  /// [outputs, inputs / groups, kernel, kernel]
  public let weight: Parameter
  /// [outputs]
  public let bias: Parameter?
  let stride: Int
  let padding: Int
  let groups: Int

  /// A convolution with freshly drawn weights.
  ///
  /// - Parameters:
  ///   - kernel: pixels a side
  ///   - stride: pixels from one window to the next
  ///   - padding: pixels of zeros added on each side
  ///   - groups: how many parts the channels fall into, each read by a part of the outputs; as many as channels: each
  ///     by itself
  ///   - bias: whether a number is added to each output channel
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0, groups: Int = 1, bias: Bool = true,
    initialisation: Initialisation = .kaimingUniform, generator: Generator
  ) throws {
    let shape = [outputs, inputs / groups, kernel, kernel]
    weight = Parameter(try initialisation.tensor(shape, generator: generator))
    let fanIn = inputs / groups * kernel * kernel
    self.bias = bias ? Parameter(try initialisation.bias(outputs, fanIn: fanIn, generator: generator)) : nil
    self.stride = stride
    self.padding = padding
    self.groups = groups
  }

  /// The convolution of each picture.
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    // A convolution of single channels is bound by memory. On a processor its gradient takes twice as long in bfloat16
    // as in float32.
    guard groups > 1, groups == weight.value.shape[0], input.device.isCPU else { return try convolved(input) }
    return try withoutAutocast { try convolved(input.to(weight.value.dtype)) }
  }

  private func convolved(_ input: Tensor) throws -> Tensor {
    try input.conv2d(weight.value, bias?.value, stride: stride, padding: padding, groups: groups)
  }
}

extension Conv2d: LinearModule {
  /// A matrix product on the patches that the kernel sees; none where there are groups.
  var linearForm: LinearLayer.Form? {
    groups == 1 ? .init(patches: (Array(weight.value.shape.suffix(2)), stride, padding)) : nil
  }
}
