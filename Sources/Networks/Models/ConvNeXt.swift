import Torch
import Weights

/// A convolutional network built like a transformer (Liu et al. 2022) with timm's names, so that its checkpoints load
/// unchanged; torchvision's load through `adapted`.
///
/// Input [N, channels, H, W] of at least 32 × 32 pixels at the usual stem and four stages, output [N, classes].
public struct ConvNeXt: Module {
  /// A convolution that makes patches pixels, and a norm.
  public let stem: Sequential
  /// Each of half the pixels a side and twice the channels of the one before.
  public let stages: [ConvNeXtStage]
  /// Makes logits.
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

  /// The logits of pictures, [N, classes].
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try head(stages.reduce(stem(input, mode)) { try $1($0, mode) }, mode)
  }
}

/// Blocks of one width, after a norm and a 2×2 convolution that halves the picture: [N, inputs, H, W] to [N, outputs, H
/// / 2, W / 2].
public struct ConvNeXtStage: Module {
  /// Empty in the first stage.
  public let downsample: [any Module]
  /// In the order in which they are called.
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

  /// The maps after the last block.
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let x = try downsample.reduce(input) { try $1($0, mode) }
    // What the blocks add to is kept in float32, also where convolutions are not.
    return try blocks.reduce(x.dtype == .bfloat16 ? x.to(.float32) : x) { try $1($0, mode) }
  }
}

/// x + γ · F(x): a 7×7 convolution of each channel by itself, then a norm and an MLP for each pixel. Input and output
/// [N, channels, H, W].
public struct ConvNeXtBlock: Module {
  /// γ, the scale of each channel of the branch, [channels]
  public let gamma: Parameter
  /// Of each channel by itself.
  public let convDw: Conv2d
  /// Over the channels of each pixel.
  public let norm: LayerNorm
  /// On each pixel by itself.
  public let mlp: TransformerMLP
  /// On γ · F(x).
  public let dropPath: DropPath

  init(_ channels: Int, dropPath: Double, generator: Generator) throws {
    gamma = Parameter(try .full([channels], 1e-6))
    convDw = try Conv2d(
      channels, channels, kernel: 7, padding: 3, groups: channels, initialisation: .normal(0.02), generator: generator)
    norm = try LayerNorm(channels, epsilon: 1e-6)
    mlp = try TransformerMLP(channels, hidden: 4 * channels, activation: .gelu, naming: .timm, generator: generator)
    self.dropPath = try DropPath(dropPath, generator: generator)
  }

  /// x + γ · F(x)
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    // Pixels with their channels innermost, which is how a channels-last tensor lies in memory.
    let pixels = try norm(convDw(input, mode).permute([0, 2, 3, 1]), mode)
    return try input + dropPath(mlp(pixels, scaledBy: gamma, mode).permute([0, 3, 1, 2]), mode)
  }
}

/// The mean over the picture, a norm and a linear layer: [N, channels, H, W] to [N, classes].
public struct ConvNeXtHead: Module {
  /// Of the means.
  public let norm: LayerNorm
  /// The classifier.
  public let fc: Linear

  init(_ channels: Int, classes: Int, generator: Generator) throws {
    norm = try LayerNorm(channels, epsilon: 1e-6)
    fc = try Linear(channels, classes, initialisation: .normal(0.02), generator: generator)
  }

  /// The logits of maps, [N, classes].
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try fc(norm(input.globalAveragePool(), mode), mode)
  }
}

// MARK: - Names

extension Architecture.Name {
  /// A ConvNeXt of one's own sizes.
  public static let convnext = convnext(
    "convnext", "ConvNeXt", "convolutional network in a transformer's clothes, of your own sizes", blocks: [1, 1, 2],
    width: 16, patch: 2, size: 32)
  /// ConvNeXt-T.
  public static let convnextTiny = convnext(
    "convnext_tiny", "ConvNeXt-T", "convolutional network in a transformer's clothes", blocks: [3, 3, 9, 3], width: 96,
    patch: 4, size: 224)

  private static func convnext(
    _ name: String, _ title: String, _ summary: String, blocks: [Int], width: Int, patch: Int, size: Int
  ) -> Self {
    Self(
      name,
      .init(
        title: title, summary: summary, reference: "timm, torchvision",
        choices: [.blocks(blocks), .width(width), .integer(.patch, patch, upTo: 32), .probability(.dropPath)],
        usualInput: { _ in .square(size) },
        check: { architecture, input in
          let halvings = try architecture.value(.blocks, \.integers).count - 1
          return try architecture.requirePixels(architecture.value(.patch, \.integer) << halvings, in: input)
        }, guess: ConvNeXt.guess
      ) { options, input, classes, generator in
        try ConvNeXt(
          depths: options.value(.blocks, \.integers), width: options.value(.width, \.integer),
          patch: options.value(.patch, \.integer), dropPath: options.value(.dropPath, \.number),
          inputChannels: input.picture().channels, classes: classes, generator: generator)
      })
  }
}

extension ConvNeXt {
  fileprivate static func guess(_ weights: TensorShapes) -> Architecture.Guess? {
    let blocks: [Int]
    let stem: [Int]
    if let timm = weights["stem.0.weight"], weights["stages.0.blocks.0.conv_dw.weight"] != nil {
      stem = timm
      blocks = (0..<4).map { stage in weights.count { "stages.\(stage).blocks.\($0).conv_dw.weight" } }
    } else if let torchvision = weights["features.0.0.weight"], weights["features.1.0.block.0.weight"] != nil {
      stem = torchvision
      blocks = (0..<4).map { stage in weights.count { "features.\(2 * stage + 1).\($0).block.0.weight" } }
    } else {
      return nil
    }
    guard stem.count == 4 else { return nil }
    let sizes = Architecture(name: .convnext, blocks: blocks.filter { $0 > 0 }, width: stem[0], patch: stem[2])
    return .init(
      sizes.named(.convnextTiny), channels: stem[1], classes: weights.rows("head.fc.weight", "classifier.2.weight"))
  }
}

extension ConvNeXt: PretrainedNetwork {
  /// How the classifier's names start.
  public var headPrefix: String { "head.fc." }

  /// torchvision's.
  public var otherNames: [NamingScheme] {
    let parts = [
      "conv_dw": "block.0", "norm": "block.2", "mlp.fc1": "block.3", "mlp.fc2": "block.5",
    ]
    let torchvision = NamingScheme(library: "torchvision", weights.names) { name in
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
    return [torchvision]
  }

  /// Takes torchvision's names.
  public func adapted(_ weights: Weights) throws -> (weights: Weights, messages: [String]) {
    guard let scheme = otherNames.first(where: { $0.describes(weights) }) else { return (weights, []) }
    return (try scheme.imported(weights), ["names mapped from \(scheme.library)'s"])
  }
}

// MARK: - Symmetry

extension ConvNeXt: SymmetricNetwork {
  /// The channels of every stage, which all its blocks add to, and the neurons of each block's MLP.
  public func declare(_ symmetry: inout Symmetry) {
    var channels = symmetry.units("stem.0")
    symmetry.layer("stem.0", to: channels)
    symmetry.norm("stem.1", channels)
    for (index, stage) in stages.enumerated() {
      if !stage.downsample.isEmpty {
        let name = "stages.\(index).downsample"
        let output = symmetry.units("\(name).1")
        symmetry.norm("\(name).0", channels)
        symmetry.layer("\(name).1", from: channels, to: output)
        channels = output
      }
      for place in stage.blocks.indices {
        let name = "stages.\(index).blocks.\(place)"
        let hidden = symmetry.units("\(name).mlp.fc1")
        symmetry.parameter("\(name).gamma", channels)
        symmetry.depthwise("\(name).conv_dw", channels)
        symmetry.norm("\(name).norm", channels)
        symmetry.layer("\(name).mlp.fc1", from: channels, to: hidden)
        symmetry.layer("\(name).mlp.fc2", from: hidden, to: channels)
      }
    }
    symmetry.norm("head.norm", channels)
    symmetry.layer("head.fc", from: channels)
  }
}
