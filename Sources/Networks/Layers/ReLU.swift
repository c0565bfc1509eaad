import Torch

/// max(x, 0), element by element; input and output of any shape.
public struct ReLU: Module {
  private let isInPlace: Bool

  /// - Parameter inPlace: whether the result takes the input's memory, which saves some. What computed the input must
  ///   not need it for its gradient (sums, convolutions and norms do not), and nobody else may read it any more.
  public init(inPlace: Bool = false) { isInPlace = inPlace }

  /// max(x, 0)
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try isInPlace ? input.reluInPlace() : input.relu()
  }
}
