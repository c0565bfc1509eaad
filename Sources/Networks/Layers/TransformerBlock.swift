import Torch

/// A layer of a vision transformer (Dosovitskiy et al. 2021), normalised before each part: x + attention(norm(x)), then
/// x + MLP(norm(x)). Input and output [N, tokens, channels].
public struct TransformerBlock: Module, CustomReflectable {
  /// Before the attention.
  public let norm1: LayerNorm
  /// Between tokens.
  public let attention: SelfAttention
  /// Before the MLP.
  public let norm2: LayerNorm
  /// On each token by itself.
  public let mlp: TransformerMLP
  /// On the results of both.
  public let dropPath: DropPath
  let naming: SelfAttention.Naming

  /// - Parameters:
  ///   - hidden: units between the MLP's two linear layers
  ///   - dropPath: probability that an example skips a part of the block in training
  init(
    _ channels: Int, heads: Int, hidden: Int, activation: Activation = .gelu, dropPath: Double = 0,
    naming: SelfAttention.Naming, generator: Generator
  ) throws {
    let epsilon = naming == .timm ? 1e-6 : 1e-5
    norm1 = try LayerNorm(channels, epsilon: epsilon)
    attention = try SelfAttention(channels, heads: heads, naming: naming, generator: generator)
    norm2 = try LayerNorm(channels, epsilon: epsilon)
    mlp = try TransformerMLP(channels, hidden: hidden, activation: activation, naming: naming, generator: generator)
    self.dropPath = try DropPath(dropPath, generator: generator)
    self.naming = naming
  }

  private var normNames: (String, String) { naming == .timm ? ("norm1", "norm2") : ("ln_1", "ln_2") }

  /// The parts under the reference's names.
  public var customMirror: Mirror {
    Mirror(
      self,
      children: [
        (normNames.0, norm1 as Any), ("attn", attention), (normNames.1, norm2), ("mlp", mlp), ("drop_path", dropPath),
      ])
  }

  /// x + attention(norm(x)), then x + MLP(norm(x))
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let x = try input + dropPath(attention(norm1(input, mode), mode), mode)
    return try x + dropPath(mlp(norm2(x, mode), mode), mode)
  }

  /// The first token of the output alone, [N, tokens, channels] to [N, channels]: what the last block is for where a
  /// picture's class is read from the class token. Saves most of the block's work.
  func firstToken(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try observed(input) {
      let x = try input.select(1, 0) + dropPath(attention.firstToken(norm1(input, mode), mode), mode)
      return try x + dropPath(mlp(norm2(x, mode), mode), mode)
    }
  }
}

extension TransformerBlock {
  /// Declares the block called `name`, on tokens of these channels: its heads and the neurons of its MLP can change
  /// places.
  func declare(_ symmetry: inout Symmetry, _ name: String, _ channels: Symmetry.Axis) {
    let (up, down) = ("\(name).mlp.\(mlp.names.up)", "\(name).mlp.\(mlp.names.down)")
    let hidden = symmetry.units(up)
    let heads = symmetry.heads("\(name).attn", attention.heads, of: channels)
    symmetry.norm("\(name).\(normNames.0)", channels)
    attention.declare(&symmetry, "\(name).attn", channels, heads: heads)
    symmetry.norm("\(name).\(normNames.1)", channels)
    symmetry.layer(up, from: channels, to: hidden)
    symmetry.layer(down, from: hidden, to: channels)
  }
}

extension [TransformerBlock] {
  /// The first token after all blocks: [N, tokens, channels] to [N, channels]. A norm works on each token by itself, so
  /// that what follows needs no other.
  func classToken(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let x = try dropLast().reduce(input) { try $1($0, mode) }
    return try last?.firstToken(x, mode) ?? x.select(1, 0)
  }
}

/// Two linear layers with a curve between them: [..., channels] to the same.
public struct TransformerMLP: Module, CustomReflectable {
  /// Channels to hidden units.
  public let up: Linear
  /// Hidden units to channels.
  public let down: Linear
  let activation: Activation
  let naming: SelfAttention.Naming

  init(
    _ channels: Int, hidden: Int, activation: Activation, naming: SelfAttention.Naming, generator: Generator
  ) throws {
    let initialisation: Initialisation = naming == .timm ? .normal(0.02) : .kaimingUniform
    up = try Linear(channels, hidden, initialisation: initialisation, generator: generator)
    down = try Linear(hidden, channels, initialisation: initialisation, generator: generator)
    self.activation = activation
    self.naming = naming
  }

  var names: (up: String, down: String) { naming == .timm ? ("fc1", "fc2") : ("c_fc", "c_proj") }

  /// The parts under the reference's names.
  public var customMirror: Mirror { Mirror(self, children: [(names.up, up as Any), (names.down, down)]) }

  /// down(activation(up(x)))
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try down(activation(up(input, mode)), mode)
  }

  /// The output with each channel multiplied by γ, [channels]. The last layer's weights are multiplied instead of what
  /// it gives, which saves passes over the pixels forwards and backwards, unless somebody wants to see what that layer
  /// gives.
  func callAsFunction(_ input: Tensor, scaledBy gamma: Parameter, _ mode: Mode) throws -> Tensor {
    let gamma = gamma.value
    return try observed(input) {
      let hidden = try activation(up(input, mode))
      if observesModules { return try down(hidden, mode) * gamma }
      return try hidden.linear(down.weight.value * gamma.unsqueeze(1), down.bias.map { try $0.value * gamma })
    }
  }
}
