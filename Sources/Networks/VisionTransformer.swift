import Checkpoints
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
  public let patchEmbed: PatchEmbedding
  public let blocks: [TransformerBlock]
  public let norm: LayerNorm
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

  /// ViT-S/16: `vit_small_patch16_224`.
  public static func small16(
    imageSize: Int = 224, dropPath: Double = 0, inputChannels: Int = 3, classes: Int, generator: Generator
  ) throws -> VisionTransformer {
    try VisionTransformer(
      imageSize: imageSize, dropPath: dropPath, inputChannels: inputChannels, classes: classes, generator: generator)
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let patches = try patchEmbed(input, mode)
    let tokens = try Tensor.concatenate(
      [clsToken.value.expand([patches.shape[0], 1, patches.shape[2]]), patches], dimension: 1)
    return try head(norm(blocks.classToken(tokens + posEmbed.value, mode), mode), mode)
  }
}

extension VisionTransformer: PretrainedNetwork {
  public var headPrefix: String { "head." }

  public func adapted(_ weights: Weights) throws -> (weights: Weights, messages: [String]) {
    try PositionEmbedding.fit("pos_embed", of: weights, to: posEmbed.value)
  }
}

/// Square patches of a picture, each through the same linear layer: [N, channels, H, W] to [N, patches, width], row by row.
public struct PatchEmbedding: Module {
  public let proj: Conv2d

  init(_ inputs: Int, _ width: Int, patch: Int, bias: Bool = true, generator: Generator) throws {
    proj = try Conv2d(inputs, width, kernel: patch, stride: patch, bias: bias, generator: generator)
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    // A view where channels are innermost.
    try proj(input, mode).flatten(from: 2).transpose(1, 2)
  }

  /// Throws unless a transformer of these sizes can be built.
  static func require(
    _ network: String, imageSize: Int, patch: Int, width: Int, depth: Int, heads: Int
  ) throws {
    let sizes = "width \(width), depth \(depth), heads \(heads), patches of \(patch) in pictures of \(imageSize) pixels"
    guard min(imageSize, patch, width, depth, heads) > 0 else {
      throw TorchError(operation: network, message: "\(sizes): all must be 1 or more")
    }
    guard imageSize % patch == 0, width % heads == 0 else {
      throw TorchError(
        operation: network, message: "\(sizes): the patch must divide the picture, and the heads the width")
    }
  }
}
