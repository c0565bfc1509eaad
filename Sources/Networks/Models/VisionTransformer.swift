import Torch
import Weights

/// A vision transformer (Dosovitskiy et al. 2021) with timm's names, so that its checkpoints load unchanged.
///
/// Input [N, channels, size, size], output [N, classes], read from the class token.
public struct VisionTransformer: Module {
  /// The class token, [1, 1, width]
  public let clsToken: Parameter
  /// [1, 1 + patches, width]
  public let posEmbed: Parameter
  /// Makes patches tokens.
  public let patchEmbed: PatchEmbedding
  /// In the order in which they are called.
  public let blocks: [TransformerBlock]
  /// After the last block.
  public let norm: LayerNorm
  /// The classifier.
  public let head: Linear

  /// - Parameters:
  ///   - imageSize: pixels a side, a multiple of `patch`
  ///   - patch: pixels a side of what becomes a token
  ///   - width: channels of a token, a multiple of `heads`
  ///   - dropPath: stochastic depth's probability in the last block; it grows evenly from 0 in the first.
  /// - Throws: `TorchError` for sizes that do not divide each other, or below 1.
  public init(
    imageSize: Int = 224, patch: Int = 16, width: Int = 384, depth: Int = 12, heads: Int = 6, mlpRatio: Int = 4,
    dropPath: Double = 0, inputChannels: Int = 3, classes: Int, generator: Generator
  ) throws {
    try PatchEmbedding.require(
      "VisionTransformer", imageSize: imageSize, patch: patch, width: width, depth: depth, heads: heads)
    let grid = imageSize / patch
    clsToken = Parameter(try Initialisation.normal(1e-6).tensor([1, 1, width], generator: generator))
    posEmbed = Parameter(try Initialisation.normal(0.02).tensor([1, 1 + grid * grid, width], generator: generator))
    patchEmbed = try PatchEmbedding(inputChannels, width, patch: patch, generator: generator)
    blocks = try DropPath.probabilities(depth, upTo: dropPath).map {
      try TransformerBlock(
        width, heads: heads, hidden: mlpRatio * width, dropPath: $0, naming: .timm, generator: generator)
    }
    norm = try LayerNorm(width, epsilon: 1e-6)
    head = try Linear(width, classes, initialisation: .normal(0.02), generator: generator)
  }

  /// The logits of pictures, [N, classes].
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let patches = try patchEmbed(input, mode)
    let tokens = try Tensor.concatenate(
      [clsToken.value.expand([patches.shape[0], 1, patches.shape[2]]), patches], dimension: 1)
    return try head(norm(blocks.classToken(tokens + posEmbed.value, mode), mode), mode)
  }
}

// MARK: - Names

extension Architecture.Name {
  /// A vision transformer of one's own sizes.
  public static let vit = vit(
    "vit", "ViT", "vision transformer of your own sizes", width: 64, depth: 4, heads: 4, patch: 4, size: 32)
  /// ViT-S/16.
  public static let vitSmall16 = vit(
    "vit_s16", "ViT-S/16", "vision transformer", width: 384, depth: 12, heads: 6, patch: 16, size: 224)

  private static func vit(
    _ name: String, _ title: String, _ summary: String, width: Int, depth: Int, heads: Int, patch: Int, size: Int
  ) -> Self {
    Self(
      name,
      .init(
        title: title, summary: summary, reference: "timm",
        choices: Architecture.Choice.transformer(width: width, depth: depth, heads: heads) + [
          .integer(.patch, patch, upTo: 256), .probability(.dropPath),
        ], usualInput: { _ in .square(size) }, check: { try $0.requirePatches(in: $1) + $0.requireHeads() },
        guess: VisionTransformer.guess
      ) { options, input, classes, generator in
        let (channels, height, _) = try input.picture()
        return try VisionTransformer(
          imageSize: height, patch: options.value(.patch, \.integer), width: options.value(.width, \.integer),
          depth: options.value(.depth, \.integer), heads: options.value(.heads, \.integer),
          dropPath: options.value(.dropPath, \.number), inputChannels: channels, classes: classes,
          generator: generator)
      })
  }
}

extension VisionTransformer {
  fileprivate static func guess(_ weights: TensorShapes) -> Architecture.Guess? {
    guard weights["cls_token"] != nil else { return nil }
    return .init(
      visionTransformer: .vit, usual: .vitSmall16, patches: weights["patch_embed.proj.weight"],
      tokens: weights["pos_embed"]?.dropLast().last, depth: weights.count { "blocks.\($0).norm1.weight" },
      classes: weights.rows("head.weight"))
  }
}

extension Architecture.Guess {
  /// A transformer of square patches and a class token, with heads of 64 channels.
  ///
  /// - Parameters:
  ///   - usual: its name where the sizes are that one's
  ///   - patches: the shape of what makes patches tokens
  ///   - tokens: rows of the position embedding
  init?(
    visionTransformer name: Architecture.Name, usual: Architecture.Name, patches: [Int]?, tokens: Int?, depth: Int,
    classes: Int?
  ) {
    guard let patches, patches.count == 4, let tokens, depth > 0 else { return nil }
    let (width, channels, patch) = (patches[0], patches[1], patches[2])
    let grid = Int(Double(max(0, tokens - 1)).squareRoot().rounded())
    guard grid > 0, grid * grid == tokens - 1 else { return nil }
    let architecture = Architecture(
      name: name, width: width, depth: depth, heads: width % 64 == 0 ? width / 64 : 1, patch: patch)
    self.init(architecture.named(usual), input: .square(grid * patch, channels: channels), classes: classes)
  }
}

extension VisionTransformer: PretrainedNetwork {
  /// How the classifier's names start.
  public var headPrefix: String { "head." }

  /// Interpolates the position embedding.
  public func adapted(_ weights: Weights) throws -> (weights: Weights, messages: [String]) {
    try PositionEmbedding.fit("pos_embed", of: weights, to: posEmbed.value)
  }
}

// MARK: - Symmetry

extension VisionTransformer: SymmetricNetwork {
  /// The channels of a token, which every block adds to, each attention's heads, and each MLP's neurons.
  public func declare(_ symmetry: inout Symmetry) {
    let channels = symmetry.units("patch_embed.proj")
    symmetry.parameter("cls_token", .fixed, .fixed, channels)
    symmetry.parameter("pos_embed", .fixed, .fixed, channels)
    symmetry.layer("patch_embed.proj", to: channels)
    for (index, block) in blocks.enumerated() { block.declare(&symmetry, "blocks.\(index)", channels) }
    symmetry.norm("norm", channels)
    symmetry.layer("head", from: channels)
  }
}
