import Support
import Torch
import Weights

/// GPT-2 (Radford et al. 2019) with the names and layouts of transformers' `GPT2LMHeadModel`, so that its files load
/// unchanged.
///
/// Input tokens [N, T], int64, T at most `context`; output the logits of each next token, [N, T, vocabulary].
public struct GPT: Module {
  /// All but the classifier, which is its table of embeddings.
  public let transformer: GPTTransformer
  /// The longest sequence, in tokens.
  public let context: Int

  /// - Parameters:
  ///   - width: channels of a token, a multiple of `heads`
  ///   - dropout: probability in the embedding, the attention and the residual branches
  /// - Throws: `TorchError` for sizes below 1, heads that do not divide the width, or a dropout outside 0 ..< 1.
  public init(
    vocabulary: Int, context: Int = 256, depth: Int = 2, width: Int = 256, heads: Int = 8, dropout: Double = 0,
    generator: Generator
  ) throws {
    let sizes = "vocabulary \(vocabulary), context \(context), depth \(depth), width \(width), heads \(heads)"
    guard min(vocabulary, context, depth, width, heads) > 0, width % heads == 0 else {
      throw TorchError(operation: "GPT", message: "\(sizes): all must be 1 or more, and the heads divide the width")
    }
    transformer = try GPTTransformer(
      vocabulary: vocabulary, context: context, depth: depth, width: width, heads: heads, dropout: dropout,
      generator: generator)
    self.context = context
  }

  /// The logits of each next token, [N, T, vocabulary].
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    // The table of embeddings is the classifier too.
    try transformer(input, mode).linear(transformer.wte.weight.value)
  }
}

extension GPT: LossNetwork {
  /// The loss without all logits at once in memory.
  public func meanCrossEntropy(_ input: Tensor, labels: Tensor, labelSmoothing: Double, _ mode: Mode) throws -> Tensor {
    try transformer(input, mode).linearCrossEntropy(
      transformer.wte.weight.value, labels: labels, labelSmoothing: labelSmoothing)
  }
}

/// The layers between tokens and logits: tokens [N, T] to [N, T, width].
public struct GPTTransformer: Module {
  /// Of tokens, [vocabulary, width]
  public let wte: Embedding
  /// Of positions, [context, width]
  public let wpe: Embedding
  let drop: Dropout
  /// The blocks, in the order in which they are called.
  public let h: [GPTBlock]
  /// After the last block.
  public let lnF: LayerNorm

  init(
    vocabulary: Int, context: Int, depth: Int, width: Int, heads: Int, dropout: Double, generator: Generator
  ) throws {
    wte = try Embedding(vocabulary, width, deviation: 0.02, generator: generator)
    wpe = try Embedding(context, width, deviation: 0.02, generator: generator)
    drop = try Dropout(dropout, generator: generator)
    h = try (0..<depth).map { _ in
      try GPTBlock(width, heads: heads, depth: depth, dropout: dropout, generator: generator)
    }
    lnF = try LayerNorm(width)
  }

  /// The tokens after the last norm, [N, T, width].
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let length = try input.size(-1)
    guard length <= wpe.weight.value.shape[0] else {
      throw TorchError(
        operation: "GPT", message: "a sequence of \(length) tokens; expected at most \(wpe.weight.value.shape[0])")
    }
    let x = try wte(input, mode) + wpe.weight.value.narrow(0, from: 0, count: length)
    return try lnF(h.reduce(drop(x, mode)) { try $1($0, mode) }, mode)
  }
}

/// x + attention(norm(x)), then x + MLP(norm(x)); [N, T, width] to the same.
public struct GPTBlock: Module, CustomReflectable {
  /// Before the attention.
  public let norm1: LayerNorm
  /// Between tokens.
  public let attention: GPTAttention
  /// Before the MLP.
  public let norm2: LayerNorm
  /// On each token by itself.
  public let mlp: GPTMLP

  init(_ width: Int, heads: Int, depth: Int, dropout: Double, generator: Generator) throws {
    norm1 = try LayerNorm(width)
    attention = try GPTAttention(width, heads: heads, depth: depth, dropout: dropout, generator: generator)
    norm2 = try LayerNorm(width)
    mlp = try GPTMLP(width, depth: depth, dropout: dropout, generator: generator)
  }

  /// The parts under the reference's names.
  public var customMirror: Mirror {
    Mirror(self, children: ["ln_1": norm1 as Any, "attn": attention, "ln_2": norm2, "mlp": mlp])
  }

  /// x + attention(norm(x)), then x + MLP(norm(x))
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let x = try input + attention(norm1(input, mode), mode)
    return try x + mlp(norm2(x, mode), mode)
  }
}

/// Attention of every token to itself and those before it: [N, T, width] to the same.
public struct GPTAttention: Module {
  /// Makes queries, keys and values side by side.
  public let cAttn: TransposedLinear
  /// Reads what the heads found, side by side.
  public let cProj: TransposedLinear
  let attnDropout: Dropout
  let residDropout: Dropout
  /// Each has width / heads of the channels.
  public let heads: Int

  init(_ width: Int, heads: Int, depth: Int, dropout: Double, generator: Generator) throws {
    cAttn = try TransposedLinear(width, 3 * width, deviation: 0.02, generator: generator)
    cProj = try TransposedLinear(width, width, deviation: residualDeviation(depth), generator: generator)
    attnDropout = try Dropout(dropout, generator: generator)
    residDropout = try Dropout(dropout, generator: generator)
    self.heads = heads
  }

  /// What the heads found for each token, projected.
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let parts = try cAttn(input, mode)
    let found =
      mode == .training && attnDropout.probability > 0
      ? try dropped(parts, mode) : try parts.selfAttention(heads: heads, causal: true)
    return try residDropout(cProj(found, mode), mode)
  }

  /// With dropout of the attention's weights, which libtorch's fused operator would draw from a generator of its own.
  private func dropped(_ parts: Tensor, _ mode: Mode) throws -> Tensor {
    let (batch, length, width) = (parts.shape[0], parts.shape[1], parts.shape[2] / 3)
    let split = try parts.view([batch, length, 3, heads, width / heads]).permute([2, 0, 3, 1, 4])
    let scores = try split[0].matmul(split[1].transpose()) * (1 / Double(width / heads).squareRoot())
    let isLater = try Tensor.ones([length, length], dtype: .bool, device: parts.device).upperTriangle(1)
    let weights = try scores.to(.float32).maskedFill(isLater, -.infinity).softmax(-1)
    return try attnDropout(weights, mode).matmul(split[2].to(.float32)).transpose(1, 2).reshape([batch, length, width])
  }
}

/// Two linear layers with four times the width and GPT-2's GELU between them: [..., width] to the same.
public struct GPTMLP: Module {
  /// To hidden units.
  public let cFc: TransposedLinear
  /// From hidden units.
  public let cProj: TransposedLinear
  let dropout: Dropout

  init(_ width: Int, depth: Int, dropout: Double, generator: Generator) throws {
    cFc = try TransposedLinear(width, 4 * width, deviation: 0.02, generator: generator)
    cProj = try TransposedLinear(4 * width, width, deviation: residualDeviation(depth), generator: generator)
    self.dropout = try Dropout(dropout, generator: generator)
  }

  /// cProj(gelu(cFc(x)))
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try dropout(cProj(cFc(input, mode).gelu(approximate: true), mode), mode)
  }
}

/// The deviation of weights that write into the residual stream, which 2 · depth of them add to: 0.02 / √(2 depth).
private func residualDeviation(_ depth: Int) -> Double { 0.02 / Double(2 * depth).squareRoot() }

/// y = x W + b with W as GPT-2 stores it: transformers' `Conv1D`. Input [..., inputs], output [..., outputs].
public struct TransposedLinear: Module {
  /// [inputs, outputs]
  public let weight: Parameter
  /// [outputs]
  public let bias: Parameter

  init(_ inputs: Int, _ outputs: Int, deviation: Double, generator: Generator) throws {
    weight = Parameter(try Initialisation.normal(deviation).tensor([inputs, outputs], generator: generator))
    bias = Parameter(try .zeros([outputs]))
  }

  /// x W + b
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try input.linear(weight.value.transpose(), bias.value)
  }
}

extension TransposedLinear: LinearModule {
  var linearForm: LinearLayer.Form? { .init(isTransposed: true) }
}

// MARK: - Names

extension Architecture.Name {
  /// A GPT of one's own sizes.
  public static let gpt = gpt("gpt", "GPT", "language model of your own sizes", width: 256, depth: 2, heads: 8)
  /// GPT-2 small.
  public static let gpt2 = gpt("gpt2", "GPT-2 small", "language model", width: 768, depth: 12, heads: 12)

  private static func gpt(
    _ name: String, _ title: String, _ summary: String, width: Int, depth: Int, heads: Int
  ) -> Self {
    Self(
      name,
      .init(
        title: title, summary: summary, reference: "transformers GPT2LMHeadModel, GPT2Model", input: .tokens,
        choices: Architecture.Choice.transformer(width: width, depth: depth, heads: heads) + [.probability(.dropout)],
        usualInput: { .tokens(vocabulary: 50_257, context: $0[.depth] == .integer(12) ? 1024 : 256) },
        check: { options, _ in try options.requireHeads() }, guess: GPT.guess
      ) { options, input, classes, generator in
        try GPT(
          vocabulary: classes, context: input.context(), depth: options.value(.depth, \.integer),
          width: options.value(.width, \.integer), heads: options.value(.heads, \.integer),
          dropout: options.value(.dropout, \.number), generator: generator)
      })
  }
}

extension GPT {
  /// Without `transformer.` before the names; with heads of 64 channels.
  fileprivate static func guess(_ weights: TensorShapes) -> Architecture.Guess? {
    guard let table = weights["wte.weight"], table.count == 2, let positions = weights["wpe.weight"]?.first else {
      return nil
    }
    let depth = weights.count { "h.\($0).ln_1.weight" }
    let architecture = Architecture(
      name: .gpt, width: table[1], depth: depth, heads: table[1] % 64 == 0 ? table[1] / 64 : 1)
    return .init(
      architecture.named(.gpt2), input: .tokens(vocabulary: table[0], context: positions), classes: table[0])
  }
}

extension GPT: PretrainedNetwork {
  /// The classifier is the table of embeddings: no head can be replaced by itself.
  public var headPrefix: String { "lm_head." }

  /// Takes the names of `GPT2Model`, which lack `transformer.`, leaves out the causal masks that older files hold and
  /// the second copy of the table of embeddings, and shortens the table of positions to this network's context.
  public func adapted(_ weights: Weights) throws -> (weights: Weights, messages: [String]) {
    var messages: [String] = []
    let isBare = weights["wte.weight"] != nil
    var adapted = Weights(
      weights.compactMap { name, tensor in
        guard !name.hasSuffix(".attn.bias"), !name.hasSuffix(".attn.masked_bias") else { return nil }
        return (isBare && !name.hasPrefix("lm_head.") ? "transformer." + name : name, tensor)
      })
    let (table, positions) = ("transformer.wte.weight", "transformer.wpe.weight")
    if let head = adapted["lm_head.weight"], let embeddings = adapted[table], head.shape == embeddings.shape {
      guard try head.equals(embeddings).all().intItem() != 0 else {
        throw FileError(
          "", "lm_head.weight is not \(table): this network has one table for both, as GPT-2 does")
      }
      adapted["lm_head.weight"] = nil
    }
    if let rows = adapted[positions], rows.rank == 2, rows.shape[0] > context {
      adapted[positions] = try rows.narrow(0, from: 0, count: context).contiguous()
      messages.append("\(positions): the first \(context) of \(rows.shape[0]) positions are used")
    }
    return (adapted, messages)
  }
}

// MARK: - Symmetry

extension GPT: SymmetricNetwork {
  /// The channels of a token, which every block adds to, each attention's heads, and each MLP's neurons.
  public func declare(_ symmetry: inout Symmetry) {
    let channels = symmetry.units("transformer.wte", outputs: 1)
    symmetry.parameter("transformer.wte.weight", .fixed, channels)
    symmetry.parameter("transformer.wpe.weight", .fixed, channels)
    for (index, block) in transformer.h.enumerated() {
      let name = "transformer.h.\(index)"
      let hidden = symmetry.units("\(name).mlp.c_fc", outputs: 1)
      let heads = symmetry.heads("\(name).attn", block.attention.heads, of: channels)
      symmetry.norm("\(name).ln_1", channels)
      symmetry.transposedLayer("\(name).attn.c_attn", from: channels, to: heads.repeated(3))
      symmetry.transposedLayer("\(name).attn.c_proj", from: heads, to: channels)
      symmetry.norm("\(name).ln_2", channels)
      symmetry.transposedLayer("\(name).mlp.c_fc", from: channels, to: hidden)
      symmetry.transposedLayer("\(name).mlp.c_proj", from: hidden, to: channels)
    }
    symmetry.norm("transformer.ln_f", channels)
  }
}
