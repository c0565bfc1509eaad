import Torch

/// How a layer's weights are drawn. The names are PyTorch's.
public enum Initialisation: Sendable {
  /// U(−b, b) with b = 1 / √fanIn: `kaiming_uniform_(a=√5)`, the default of PyTorch's Linear and Conv2d
  case kaimingUniform
  /// N(0, 2 / fanOut): `kaiming_normal_(mode="fan_out")`, which torchvision's ResNet uses for its convolutions
  case kaimingNormalFanOut
  /// N(0, 2 / fanIn): `kaiming_normal_`, which torchvision's DenseNet uses for its convolutions
  case kaimingNormalFanIn
  /// U(−b, b) with b = √(6 / (fanIn + fanOut)): `xavier_uniform_`, which PyTorch uses for the joined projections of
  /// attention
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

  /// The bias [outputs] beside a weight of this many inputs: uniform like the weight's default, zero beside every other
  /// weight.
  func bias(_ outputs: Int, fanIn: Int, generator: Generator) throws -> Tensor {
    guard case .kaimingUniform = self else { return try .zeros([outputs]) }
    let bound = 1 / Double(fanIn).squareRoot()
    return try Tensor.empty([outputs]).fillUniform(-bound, bound, generator: generator)
  }
}
