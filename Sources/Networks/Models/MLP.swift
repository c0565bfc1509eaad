import Torch

/// A multi-layer perceptron with ReLU between its layers; pictures are flattened. The paper's network for SVHN.
///
/// Input [N, ...], output [N, classes].
public struct MLP: Module {
  /// The hidden ones, and the one that makes logits.
  public let layers: [Linear]

  /// - Parameters:
  ///   - inputs: numbers of an example
  ///   - hidden: units of each hidden layer
  public init(inputs: Int, hidden: [Int], classes: Int, generator: Generator) throws {
    let widths = [inputs] + hidden + [classes]
    layers = try zip(widths, widths.dropFirst()).map { try Linear($0, $1, generator: generator) }
  }

  /// The logits of examples, [N, classes].
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

extension Architecture.Name {
  /// A multi-layer perceptron of one's own widths.
  public static let mlp = Self(
    "mlp",
    .init(
      title: "MLP", summary: "multi-layer perceptron with ReLU",
      reference: "none; names as in a PyTorch list `layers` of Linear",
      choices: [.init(.hidden, usual: .integers([256, 256]), .integers(count: 0...64, 1...65_536))], guess: MLP.guess
    ) { options, input, classes, generator in
      let (channels, height, width) = try input.picture()
      return try MLP(
        inputs: channels * height * width, hidden: options.value(.hidden, \.integers), classes: classes,
        generator: generator)
    })
}

extension MLP {
  fileprivate static func guess(_ weights: TensorShapes) -> Architecture.Guess? {
    let depth = weights.count { "layers.\($0).weight" }
    let widths = (0..<depth).compactMap { weights["layers.\($0).weight"]?.first }
    guard depth > 0, let inputs = weights["layers.0.weight"], inputs.count == 2, widths.count == depth else {
      return nil
    }
    func size(_ channels: Int) -> Int { Int((Double(inputs[1]) / Double(channels)).squareRoot().rounded()) }
    // Of colour where that gives whole squares.
    guard let channels = [3, 1].first(where: { size($0) * size($0) * $0 == inputs[1] }) else { return nil }
    return .init(
      Architecture(name: .mlp, hidden: Array(widths.dropLast())), input: .square(size(channels), channels: channels),
      classes: widths.last)
  }
}

extension MLP: SymmetricNetwork {
  /// The neurons of every hidden layer.
  public func declare(_ symmetry: inout Symmetry) {
    var inputs = Symmetry.Axis.fixed
    for index in layers.indices {
      let name = "layers.\(index)"
      let outputs = index < layers.count - 1 ? symmetry.units(name) : .fixed
      symmetry.layer(name, from: inputs, to: outputs)
      inputs = outputs
    }
  }
}
