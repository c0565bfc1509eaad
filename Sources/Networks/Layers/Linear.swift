import Torch

/// y = x Wᵀ + b; input [..., inputs], output [..., outputs].
public struct Linear: Module {
  /// [outputs, inputs]
  public let weight: Parameter
  /// [outputs]
  public let bias: Parameter?

  /// A layer with freshly drawn weights.
  ///
  /// - Parameters:
  ///   - bias: whether there is a b
  ///   - initialisation: how W is drawn, and b beside it
  public init(
    _ inputs: Int, _ outputs: Int, bias: Bool = true, initialisation: Initialisation = .kaimingUniform,
    generator: Generator
  ) throws {
    weight = Parameter(try initialisation.tensor([outputs, inputs], generator: generator))
    self.bias = bias ? Parameter(try initialisation.bias(outputs, fanIn: inputs, generator: generator)) : nil
  }

  /// x Wᵀ + b
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try input.linear(weight.value, bias?.value)
  }
}

extension Linear: LinearModule {
  var linearForm: LinearLayer.Form? { .init() }
}
