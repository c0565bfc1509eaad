import Torch

/// A layer of a vision transformer (Dosovitskiy et al. 2021), normalised before each part: x + attention(norm(x)), then x + MLP(norm(x)).
/// Input and output [N, tokens, channels].
public struct TransformerBlock: Module, CustomReflectable {
  /// Whose names and initialisation the block has.
  public enum Naming: Sendable {
    case timm, openCLIP
  }

  public let norm1: LayerNorm
  public let attention: SelfAttention
  public let norm2: LayerNorm
  public let mlp: TransformerMLP
  public let dropPath: DropPath
  let naming: Naming

  /// - Parameters:
  ///   - hidden: units between the MLP's two linear layers
  ///   - dropPath: probability that an example skips a part of the block in training
  init(
    _ channels: Int, heads: Int, hidden: Int, activation: Activation = .gelu, dropPath: Double = 0, naming: Naming,
    generator: Generator
  ) throws {
    let epsilon = naming == .timm ? 1e-6 : 1e-5
    norm1 = try LayerNorm(channels, epsilon: epsilon)
    attention = try SelfAttention(channels, heads: heads, naming: naming, generator: generator)
    norm2 = try LayerNorm(channels, epsilon: epsilon)
    mlp = try TransformerMLP(channels, hidden: hidden, activation: activation, naming: naming, generator: generator)
    self.dropPath = try DropPath(dropPath, generator: generator)
    self.naming = naming
  }

  public var customMirror: Mirror {
    let (norm1Name, norm2Name) = naming == .timm ? ("norm1", "norm2") : ("ln_1", "ln_2")
    return Mirror(
      self,
      children: [
        (norm1Name, norm1 as Any), ("attn", attention), (norm2Name, norm2), ("mlp", mlp), ("drop_path", dropPath),
      ])
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try finish(input, attention(norm1(input, mode), mode), mode)
  }

  /// The first token of the output alone, [N, tokens, channels] to [N, channels]: what the last block is for where a picture's class is
  /// read from the class token. Spares most of the block's work.
  func firstToken(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try observed(input) { try finish(input.select(1, 0), attention.firstToken(norm1(input, mode), mode), mode) }
  }

  private func finish(_ input: Tensor, _ attended: Tensor, _ mode: Mode) throws -> Tensor {
    let x = try input + dropPath(attended, mode)
    return try x + dropPath(mlp(norm2(x, mode), mode), mode)
  }
}

extension [TransformerBlock] {
  /// The first token after all blocks: [N, tokens, channels] to [N, channels]. Norms work on each token by itself, so what follows needs
  /// no other.
  func classToken(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let x = try dropLast().reduce(input) { try $1($0, mode) }
    return try last?.firstToken(x, mode) ?? x.select(1, 0)
  }
}

/// Two linear layers with a curve between them: [..., channels] to the same.
public struct TransformerMLP: Module, CustomReflectable {
  public let up: Linear
  public let down: Linear
  let activation: Activation
  let naming: TransformerBlock.Naming

  init(
    _ channels: Int, hidden: Int, activation: Activation, naming: TransformerBlock.Naming, generator: Generator
  ) throws {
    let initialisation: Initialisation = naming == .timm ? .normal(0.02) : .kaimingUniform
    up = try Linear(channels, hidden, initialisation: initialisation, generator: generator)
    down = try Linear(hidden, channels, initialisation: initialisation, generator: generator)
    self.activation = activation
    self.naming = naming
  }

  public var customMirror: Mirror {
    let (upName, downName) = naming == .timm ? ("fc1", "fc2") : ("c_fc", "c_proj")
    return Mirror(self, children: [(upName, up as Any), (downName, down)])
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try down(activation(up(input, mode)), mode)
  }

  /// The output with each channel multiplied by γ [channels]. The last layer's weights are multiplied instead of what it gives, which
  /// spares passes over the pixels forwards and backwards, unless somebody wants to see what that layer gives.
  func scaled(_ input: Tensor, by gamma: Tensor, _ mode: Mode) throws -> Tensor {
    try observed(input) {
      let hidden = try activation(up(input, mode))
      if observesModules { return try down(hidden, mode) * gamma }
      return try hidden.linear(down.weight.value * gamma.unsqueeze(1), down.bias.map { try $0.value * gamma })
    }
  }
}
