import Torch

/// Attention of every token to every other in several heads (Vaswani et al. 2017): [N, tokens, channels] to the same.
public struct SelfAttention: Module, CustomReflectable {
  /// Whose names and initialisation a layer of a vision transformer has.
  enum Naming {
    case timm, openCLIP
  }

  /// Makes queries, keys and values side by side; its weight is [3 · channels, channels].
  public let qkv: Linear
  /// Reads what the heads found, side by side; its weight is [channels, channels].
  public let projection: Linear
  /// Each has channels / heads of the channels.
  public let heads: Int
  let naming: Naming

  init(_ channels: Int, heads: Int, naming: Naming, generator: Generator) throws {
    qkv = try Linear(
      channels, 3 * channels, initialisation: naming == .timm ? .normal(0.02) : .xavierUniform, generator: generator)
    projection = try Linear(
      channels, channels, initialisation: naming == .timm ? .normal(0.02) : .kaimingUniform, generator: generator)
    projection.bias?.value = try .zeros([channels])
    self.heads = heads
    self.naming = naming
  }

  /// The parts under the reference's names.
  public var customMirror: Mirror {
    switch naming {
    case .timm: Mirror(self, children: ["qkv": qkv, "proj": projection])
    case .openCLIP:
      Mirror(
        self,
        children: [
          "in_proj_weight": qkv.weight, "in_proj_bias": qkv.bias as Any, "out_proj": projection,
        ])
    }
  }

  /// What the heads found for each token, projected.
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try projection(qkv(input, mode).selfAttention(heads: heads), mode)
  }

  /// The first token of the output alone: [N, tokens, channels] to [N, channels]. Only that token needs queries, so
  /// that no others are made unless somebody wants to see what `qkv` gives.
  func firstToken(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try observed(input) { try attendedFirstToken(input, mode) }
  }

  private func attendedFirstToken(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let (batch, tokens, channels) = (input.shape[0], input.shape[1], input.shape[2])
    let width = channels / heads
    if observesModules {
      let parts = try qkv(input, mode).view([batch, tokens, 3, heads, width]).unbind(2).map { try $0.transpose(1, 2) }
      let query = try parts[0].narrow(2, from: 0, count: 1)
      return try projection(Tensor.attention(query, parts[1], parts[2]).reshape([batch, channels]), mode)
    }
    let weights = try qkv.weight.value.split(sizes: [channels, 2 * channels])
    let biases = try qkv.bias?.value.split(sizes: [channels, 2 * channels])
    let query = try input.select(1, 0).linear(weights[0], biases?[0]).view([batch, 1, heads, width]).transpose(1, 2)
    let pair = try input.linear(weights[1], biases?[1]).view([batch, tokens, 2, heads, width]).unbind(2)
      .map { try $0.transpose(1, 2) }
    return try projection(Tensor.attention(query, pair[0], pair[1]).reshape([batch, channels]), mode)
  }
}

extension SelfAttention {
  /// Declares the attention called `name`, whose heads can change places.
  func declare(_ symmetry: inout Symmetry, _ name: String, _ channels: Symmetry.Axis, heads: Symmetry.Axis) {
    switch naming {
    case .timm:
      symmetry.layer("\(name).qkv", from: channels, to: heads.repeated(3))
      symmetry.layer("\(name).proj", from: heads, to: channels)
    case .openCLIP:
      symmetry.layer(
        weight: "\(name).in_proj_weight", bias: "\(name).in_proj_bias", of: name, isModule: false, from: channels,
        to: heads.repeated(3))
      symmetry.layer("\(name).out_proj", from: heads, to: channels)
    }
  }
}

extension SelfAttention: LinearModule {
  /// open_clip's makes queries, keys and values from what it is given without a module of their own.
  var linearForm: LinearLayer.Form? { naming == .openCLIP ? .init(weight: "in_proj_weight") : nil }
}

extension Tensor {
  /// Scaled dot-product attention of a sequence to itself, from its queries, keys and values side by side:
  /// [N, tokens, 3 · channels] to [N, tokens, channels], each head reading and writing channels / `heads` of them.
  ///
  /// - Parameter causal: a token sees only itself and those before it.
  /// - Throws: `TorchError` when the heads do not divide the channels.
  public func selfAttention(heads: Int, causal: Bool = false) throws -> Tensor {
    guard rank == 3, heads > 0, shape[2] % (3 * heads) == 0 else {
      throw TorchError(
        operation: "selfAttention",
        message: "these are no queries, keys and values of \(heads) heads; expected [N, tokens, 3 · \(heads) · n]",
        arguments: [shapeDescription])
    }
    let (batch, tokens, channels) = (shape[0], shape[1], shape[2] / 3)
    // All of these are views: attention reads a head with strides, and writes so that the heads of a token lie side by
    // side. In this order the three gradients are joined where they belong and not moved again.
    let parts = try view([batch, tokens, 3, heads, channels / heads]).unbind(2).map { try $0.transpose(1, 2) }
    let attended =
      dtype == .bfloat16 && device.isCPU && tokens <= 512
      ? try Tensor.explicitAttention(parts[0], parts[1], parts[2], causal: causal)
      : try Tensor.attention(parts[0], parts[1], parts[2], causal: causal)
    return try attended.transpose(1, 2).reshape([batch, tokens, channels])
  }

  /// Attention by three operators that keep the whole matrix of weights. libtorch's fused one takes twice as long in
  /// bfloat16 on a processor while that matrix is small: 39 against 18 ms forwards and backwards for 197 tokens of
  /// ViT-S, batch 8; 120 against 64 ms of processor time for 256 causal tokens in 8 heads of 32 channels, batch 16.
  private static func explicitAttention(_ query: Tensor, _ key: Tensor, _ value: Tensor, causal: Bool) throws -> Tensor
  {
    let scale = 1 / Double(query.shape[query.rank - 1]).squareRoot()
    var scores = try (query * scale).matmul(key.transpose())
    if causal {
      let tokens = query.shape[query.rank - 2]
      scores = try scores + Tensor.full([tokens, tokens], -.infinity, dtype: query.dtype).upperTriangle(1)
    }
    return try scores.softmax(-1).matmul(value)
  }
}
