import Checkpoints
import Torch
import Weights

/// A convolutional network in a transformer's clothes (Liu et al. 2022) with timm's names, so that its checkpoints load unchanged;
/// torchvision's load through `adapted`.
///
/// Input [N, channels, H, W] of at least 32 × 32 pixels at the usual stem and four stages, output [N, classes].
public struct ConvNeXt: Module {
  public let stem: Sequential
  public let stages: [ConvNeXtStage]
  public let head: ConvNeXtHead

  /// - Parameters:
  ///   - depths: blocks of each stage. Every stage after the first halves the picture and doubles the channels.
  ///   - width: channels of the first stage
  ///   - patch: pixels a side of the stem's patches; 4 in the paper
  ///   - dropPath: stochastic depth's probability in the last block; it grows evenly from 0 in the first.
  /// - Throws: `TorchError` for no stages, an empty stage, or a width or patch below 1.
  public init(
    depths: [Int] = [3, 3, 9, 3], width: Int = 96, patch: Int = 4, dropPath: Double = 0, inputChannels: Int = 3,
    classes: Int, generator: Generator
  ) throws {
    guard !depths.isEmpty, depths.allSatisfy({ $0 > 0 }), width > 0, patch > 0 else {
      throw TorchError(
        operation: "ConvNeXt",
        message:
          "depths \(depths) at width \(width), patch \(patch): one or more stages of one or more blocks are needed")
    }
    stem = Sequential([
      try Conv2d(
        inputChannels, width, kernel: patch, stride: patch, initialisation: .normal(0.02), generator: generator),
      try LayerNorm2d(width),
    ])
    var probabilities = DropPath.probabilities(depths.reduce(0, +), upTo: dropPath)[...]
    stages = try depths.enumerated().map { index, depth in
      defer { probabilities = probabilities.dropFirst(depth) }
      return try ConvNeXtStage(
        index == 0 ? width : width << (index - 1), width << index, halves: index > 0,
        dropPaths: Array(probabilities.prefix(depth)), generator: generator)
    }
    head = try ConvNeXtHead(width << (depths.count - 1), classes: classes, generator: generator)
  }

  /// ConvNeXt-T: `convnext_tiny`.
  public static func tiny(
    dropPath: Double = 0, inputChannels: Int = 3, classes: Int, generator: Generator
  ) throws -> ConvNeXt {
    try ConvNeXt(dropPath: dropPath, inputChannels: inputChannels, classes: classes, generator: generator)
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try head(stages.reduce(stem(input, mode)) { try $1($0, mode) }, mode)
  }
}

extension ConvNeXt: PretrainedNetwork {
  public var headPrefix: String { "head.fc." }

  /// torchvision's names of this network's tensors.
  public var torchvisionNames: NamingScheme {
    let parts = [
      "conv_dw": "block.0", "norm": "block.2", "mlp.fc1": "block.3", "mlp.fc2": "block.5",
    ]
    return NamingScheme(library: "torchvision", weights.names) { name in
      let words = name.split(separator: ".").map(String.init)
      let kind = words[words.count - 1]
      switch words[0] {
      case "stem": return .init(name, ["features.0.\(words[1]).\(kind)"])
      case "head": return .init(name, ["classifier.\(words[1] == "norm" ? 0 : 2).\(kind)"])
      default:
        // Stages and what halves the picture before them take turns.
        guard let stage = Int(words[1]) else { return nil }
        if words[2] == "downsample" { return .init(name, ["features.\(2 * stage).\(words[3]).\(kind)"]) }
        let block = "features.\(2 * stage + 1).\(words[3])."
        if kind == "gamma" { return .init(name, [block + "layer_scale"], .column) }
        return parts[words[4..<(words.count - 1)].joined(separator: ".")].map { .init(name, ["\(block)\($0).\(kind)"]) }
      }
    }
  }

  public func adapted(_ weights: Weights) throws -> (weights: Weights, messages: [String]) {
    let scheme = torchvisionNames
    guard scheme.describes(weights) else { return (weights, []) }
    return (try scheme.imported(weights), ["names mapped from torchvision's"])
  }
}

/// Blocks of one width, after a norm and a 2×2 convolution that halves the picture: [N, inputs, H, W] to [N, outputs, H / 2, W / 2].
public struct ConvNeXtStage: Module {
  /// Empty in the first stage.
  public let downsample: [any Module]
  public let blocks: [ConvNeXtBlock]

  init(_ inputs: Int, _ outputs: Int, halves: Bool, dropPaths: [Double], generator: Generator) throws {
    downsample =
      halves
      ? [
        try LayerNorm2d(inputs),
        try Conv2d(inputs, outputs, kernel: 2, stride: 2, initialisation: .normal(0.02), generator: generator),
      ] : []
    blocks = try dropPaths.map { try ConvNeXtBlock(outputs, dropPath: $0, generator: generator) }
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let x = try downsample.reduce(input) { try $1($0, mode) }
    return try blocks.reduce(x) { try $1($0, mode) }
  }
}

/// x + γ · F(x): a 7×7 convolution of each channel by itself, then a norm and an MLP for each pixel. Input and output [N, channels, H, W].
public struct ConvNeXtBlock: Module {
  /// γ, the scale of each channel of the branch, [channels]
  public let gamma: Parameter
  public let convDw: Conv2d
  public let norm: LayerNorm
  public let mlp: TransformerMLP
  public let dropPath: DropPath

  init(_ channels: Int, dropPath: Double, generator: Generator) throws {
    gamma = Parameter(try .full([channels], 1e-6))
    convDw = try Conv2d(
      channels, channels, kernel: 7, padding: 3, groups: channels, initialisation: .normal(0.02), generator: generator)
    norm = try LayerNorm(channels, epsilon: 1e-6)
    mlp = try TransformerMLP(channels, hidden: 4 * channels, activation: .gelu, naming: .timm, generator: generator)
    self.dropPath = try DropPath(dropPath, generator: generator)
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let input = try input.dtype == .bfloat16 ? input.to(.float32) : input
    // Pixels with their channels innermost, which is how a channels-last tensor lies in memory.
    let pixels = try norm(convolved(input, mode).permute([0, 2, 3, 1]), mode)
    let branch = try mlp.scaled(pixels, by: gamma.value, mode).permute([0, 3, 1, 2])
    return try input + dropPath(branch, mode)
  }

  /// A convolution of single channels is bound by memory. On a processor its gradient takes twice as long in bfloat16 as in float32.
  private func convolved(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    input.device.isCPU ? try withoutAutocast { try convDw(input, mode) } : try convDw(input, mode)
  }
}

/// The mean over the picture, a norm and a linear layer: [N, channels, H, W] to [N, classes].
public struct ConvNeXtHead: Module {
  public let norm: LayerNorm
  public let fc: Linear

  init(_ channels: Int, classes: Int, generator: Generator) throws {
    norm = try LayerNorm(channels, epsilon: 1e-6)
    fc = try Linear(channels, classes, initialisation: .normal(0.02), generator: generator)
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try fc(norm(input.globalAveragePool(), mode), mode)
  }
}
