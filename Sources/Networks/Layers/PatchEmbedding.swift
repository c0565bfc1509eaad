import Torch

/// Square patches of a picture, each through the same linear layer: [N, channels, H, W] to [N, patches, width], row by
/// row.
public struct PatchEmbedding: Module {
  /// A convolution whose windows lie side by side.
  public let proj: Conv2d

  init(_ inputs: Int, _ width: Int, patch: Int, bias: Bool = true, generator: Generator) throws {
    proj = try Conv2d(inputs, width, kernel: patch, stride: patch, bias: bias, generator: generator)
  }

  /// A token for each patch.
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
