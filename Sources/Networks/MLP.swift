import Torch

/// A multi-layer perceptron with ReLU between its layers; pictures are flattened. The paper's network for SVHN.
///
/// Input [N, ...], output [N, classes].
public struct MLP: Module {
  public let layers: [Linear]

  public init(inputs: Int, hidden: [Int], classes: Int, generator: Generator) throws {
    let widths = [inputs] + hidden + [classes]
    layers = try zip(widths, widths.dropFirst()).map { try Linear($0, $1, generator: generator) }
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    // A channels-last picture is brought into row-major order here, so that weights mean the same whatever the layout.
    var x = try input.flatten(from: 1)
    for (index, layer) in layers.enumerated() {
      x = try layer(x, mode)
      if index < layers.count - 1 { x = try x.relu() }
    }
    return x
  }
}
