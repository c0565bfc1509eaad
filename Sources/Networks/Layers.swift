import Torch

/// How a layer's weights are drawn; the names are PyTorch's.
public enum Initialisation: Sendable {
  /// U(−b, b) with b = 1 / √fanIn: `kaiming_uniform_(a=√5)`, the default of PyTorch's Linear and Conv2d
  case kaimingUniform
  /// N(0, 2 / fanOut): `kaiming_normal_(mode="fan_out")`, what torchvision's ResNet gives its convolutions
  case kaimingNormalFanOut
  /// N(0, 2 / fanIn): `kaiming_normal_`, what torchvision's DenseNet gives its convolutions
  case kaimingNormalFanIn
  /// U(−b, b) with b = √(6 / (fanIn + fanOut)): `xavier_uniform_`, what PyTorch gives the joined projections of attention
  case xavierUniform
  /// N(0, deviation²); also `trunc_normal_`, which cuts at ±2, a hundred of the deviations that networks are drawn with
  case normal(Double)

  /// A weight [outputs, inputs, ...].
  func tensor(_ shape: [Int], generator: Generator) throws -> Tensor {
    let receptiveField = shape.dropFirst(2).reduce(1, *)
    let tensor = try Tensor.empty(shape)
    switch self {
    case .kaimingUniform:
      let bound = 1 / Double(shape[1] * receptiveField).squareRoot()
      return try tensor.fillUniform(-bound, bound, generator: generator)
    case .kaimingNormalFanOut:
      let deviation = (2 / Double(shape[0] * receptiveField)).squareRoot()
      return try tensor.fillNormal(standardDeviation: deviation, generator: generator)
    case .kaimingNormalFanIn:
      let deviation = (2 / Double(shape[1] * receptiveField)).squareRoot()
      return try tensor.fillNormal(standardDeviation: deviation, generator: generator)
    case .xavierUniform:
      let bound = (6 / Double((shape[0] + shape[1]) * receptiveField)).squareRoot()
      return try tensor.fillUniform(-bound, bound, generator: generator)
    case .normal(let deviation):
      return try tensor.fillNormal(standardDeviation: deviation, generator: generator)
    }
  }

  /// The bias [outputs] beside a weight of this many inputs: uniform like the weight's default, zero beside every other weight.
  func bias(_ outputs: Int, fanIn: Int, generator: Generator) throws -> Tensor {
    guard case .kaimingUniform = self else { return try .zeros([outputs]) }
    let bound = 1 / Double(fanIn).squareRoot()
    return try Tensor.empty([outputs]).fillUniform(-bound, bound, generator: generator)
  }
}

/// y = x Wᵀ + b; input [..., inputs], output [..., outputs].
public struct Linear: Module {
  /// [outputs, inputs]
  public let weight: Parameter
  /// [outputs]
  public let bias: Parameter?

  public init(
    _ inputs: Int, _ outputs: Int, bias: Bool = true, initialisation: Initialisation = .kaimingUniform,
    generator: Generator
  ) throws {
    weight = Parameter(try initialisation.tensor([outputs, inputs], generator: generator))
    self.bias = bias ? Parameter(try initialisation.bias(outputs, fanIn: inputs, generator: generator)) : nil
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try input.linear(weight.value, bias?.value)
  }
}

/// Cross-correlation; input [N, inputs, H, W], output [N, outputs, H', W'].
public struct Conv2d: Module {
  /// [outputs, inputs / groups, kernel, kernel]
  public let weight: Parameter
  /// [outputs]
  public let bias: Parameter?
  let stride: Int
  let padding: Int
  let groups: Int

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

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try input.conv2d(weight.value, bias?.value, stride: stride, padding: padding, groups: groups)
  }
}

/// y = γ (x − mean) / √(variance + ε) + β per channel, with the batch's statistics in training and the running ones in evaluation.
public struct BatchNorm2d: Module {
  /// γ, [channels]
  public let weight: Parameter
  /// β, [channels]
  public let bias: Parameter
  public let runningMean: Parameter
  public let runningVar: Parameter
  /// How many batches the running statistics have seen; a number, int64
  public let numBatchesTracked: Parameter
  let momentum: Double
  let epsilon: Double

  public init(_ channels: Int, momentum: Double = 0.1, epsilon: Double = 1e-5) throws {
    weight = Parameter(try .ones([channels]))
    bias = Parameter(try .zeros([channels]))
    runningMean = Parameter(try .zeros([channels]), isTrainable: false)
    runningVar = Parameter(try .ones([channels]), isTrainable: false)
    numBatchesTracked = Parameter(try .zeros([], dtype: .int64), isTrainable: false)
    self.momentum = momentum
    self.epsilon = epsilon
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let rate: Double
    switch mode {
    case .evaluation: rate = 0
    case .training: rate = momentum
    case .reestimation(let batch): rate = 1 / Double(batch + 1)
    }
    if mode != .evaluation { try withoutGradients { _ = try numBatchesTracked.value.addInPlace(1) } }
    return try input.batchNorm(
      weight: weight.value, bias: bias.value, runningMean: runningMean.value, runningVariance: runningVar.value,
      training: mode != .evaluation, momentum: rate, epsilon: epsilon)
  }
}

extension BatchNorm2d {
  /// The norm of a convolution's result, with another tensor on top and without what is below 0 where that is asked for:
  /// norm(convolution(x)), or max(norm(convolution(x)) + other, 0).
  ///
  /// In evaluation, where no gradient is asked for, the norm is a part of the convolution's weights:
  /// y = (W γ / √(variance + ε)) x + β + γ (b − mean) / √(variance + ε), which saves passes over the result. Where somebody
  /// looks on, one thing is done after the other.
  ///
  /// - Parameter overwriting: whether the result may take the other tensor's memory
  func callAsFunction(
    after convolution: Conv2d, _ input: Tensor, _ mode: Mode, rectified: Bool = false,
    adding other: @autoclosure () throws -> Tensor? = nil, overwriting: Bool = false
  ) throws -> Tensor {
    guard mode == .evaluation, !recordsGradients, !tracesOperators, !observesModules else {
      let result = try self(convolution(input, mode), mode)
      let sum = try other().map { try result + $0 } ?? result
      return rectified ? try sum.reluInPlace() : sum
    }
    let scale = try weight.value * (runningVar.value + epsilon).rsqrt()
    let centre = try convolution.bias.map { try runningMean.value - $0.value } ?? runningMean.value
    let (stride, padding, groups) = (convolution.stride, convolution.padding, convolution.groups)
    let weight = try convolution.weight.value * scale.view([-1, 1, 1, 1])
    let bias = try bias.value - centre * scale
    if rectified {
      return try input.rectifiedConv2d(
        weight, bias, adding: other(), overwriting: overwriting, stride: stride, padding: padding,
        groups: groups)
    }
    let result = try input.conv2d(weight, bias, stride: stride, padding: padding, groups: groups)
    return try other().map { try result + $0 } ?? result
  }
}

/// Modules one after the other, named by their places: `0.weight`, `3.weight`. PyTorch's `Sequential`.
public struct Sequential: Module, CustomReflectable {
  public let layers: [any Module]

  public init(_ layers: [any Module]) { self.layers = layers }

  public var customMirror: Mirror { Mirror(self, children: layers.enumerated().map { ("\($0)", $1 as Any) }) }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try layers.reduce(input) { try $1($0, mode) }
  }
}

/// max(x, 0)
public struct ReLU: Module {
  public init() {}

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor { try input.relu() }
}

/// The largest of each window of `kernel` × `kernel` pixels, side by side.
public struct MaxPool2d: Module {
  let kernel: Int

  public init(_ kernel: Int) { self.kernel = kernel }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor { try input.maxPool2d(kernel) }
}

/// Zeroes each element with `probability` in training and scales the others to keep the mean; does nothing in the other modes.
///
/// The draws come from the generator given, one after the other.
public struct Dropout: RandomModule {
  public let probability: Double
  public let generator: Generator

  /// - Throws: `TorchError` unless `probability` is at least 0 and below 1.
  public init(_ probability: Double, generator: Generator) throws {
    guard probability >= 0, probability < 1 else {
      throw TorchError(operation: "Dropout", message: "a probability of \(probability); expected 0 or more and below 1")
    }
    self.probability = probability
    self.generator = generator
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    guard mode == .training, probability > 0 else { return input }
    // Drawn where the generator lives, so that every device drops the same elements.
    let isKept = try Tensor.uniform(input.shape, generator: generator).greaterOrEqual(probability)
    return try input * isKept.to(input.device).to(input.dtype) * (1 / (1 - probability))
  }
}
