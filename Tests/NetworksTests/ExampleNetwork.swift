import Torch

@testable import Networks

// A whole network in one file, as CONTRIBUTING shows it. In `Sources/Networks/Models/` it would have its place in
// `Architecture.Name.allCases` too.

/// Two linear layers with a gate between them (Shazeer 2020): down(silu(gate(x)) · up(x)). Input [N, ...], output [N,
/// classes].
struct GatedMLP: Module {
  let gate, up, down: Linear

  init(inputs: Int, hidden: Int, classes: Int, generator: Generator) throws {
    gate = try Linear(inputs, hidden, generator: generator)
    up = try Linear(inputs, hidden, generator: generator)
    down = try Linear(hidden, classes, generator: generator)
  }

  func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let x = try input.flatten(from: 1)
    return try down(gate(x, mode).silu() * up(x, mode), mode)
  }
}

extension Architecture.Name {
  static let gatedMLP = Self(
    "gated_mlp",
    .init(
      title: "Gated MLP", summary: "two layers with a gate", reference: "none", choices: [.width(64)],
      guess: GatedMLP.guess
    ) { options, input, classes, generator in
      let (channels, height, width) = try input.picture()
      return try GatedMLP(
        inputs: channels * height * width, hidden: options.value(.width, \.integer), classes: classes,
        generator: generator)
    })
}

extension GatedMLP {
  /// Told by its gate; the pictures it is for might have any shape of so many numbers.
  fileprivate static func guess(_ weights: TensorShapes) -> Architecture.Guess? {
    guard let gate = weights["gate.weight"], gate.count == 2 else { return nil }
    return .init(
      Architecture(name: .gatedMLP, width: gate[0]), input: .picture(channels: 1, height: 1, width: gate[1]),
      classes: weights.rows("down.weight"))
  }
}

extension GatedMLP: PretrainedNetwork {
  var headPrefix: String { "down." }
}

extension GatedMLP: SymmetricNetwork {
  /// The hidden units, each with its gate.
  func declare(_ symmetry: inout Symmetry) {
    let hidden = symmetry.units("up")
    symmetry.layer("gate", to: hidden)
    symmetry.layer("up", to: hidden)
    symmetry.layer("down", from: hidden)
  }
}
