import Torch

extension Architecture {
  /// The networks there are. To add one: a case here, and its declaration below.
  public enum Name: String, Codable, CaseIterable, Sendable {
    case mlp, resnet, resnet18, resnet34, resnet50, resnet20, vgg11, vgg16, densenet121
    case vgg11BatchNorm = "vgg11_bn"
    case vgg16BatchNorm = "vgg16_bn"
    case vit
    case vitSmall16 = "vit_s16"
    case clip = "clip_vit"
    case clipBase16 = "clip_vit_b16"
    case convnext
    case convnextTiny = "convnext_tiny"
    case gpt, gpt2

    public var declaration: Declaration {
      switch self {
      case .mlp: .mlp
      case .resnet: .resnet("ResNet", "residual network of your own blocks", blocks: [1, 1, 1], width: 8)
      case .resnet20: .resnet("ResNet20", "He et al.'s network for CIFAR", blocks: [3, 3, 3], width: 16, isFixed: true)
      case .resnet18: .resnet("ResNet18", "residual network", blocks: [2, 2, 2, 2], isFixed: true)
      case .resnet34: .resnet("ResNet34", "residual network", blocks: [3, 4, 6, 3], isFixed: true)
      case .resnet50:
        .resnet("ResNet50", "residual network of bottlenecks", block: .bottleneck, blocks: [3, 4, 6, 3], isFixed: true)
      case .vgg11: .vgg("VGG11", .vgg11, batchNorm: false)
      case .vgg11BatchNorm: .vgg("VGG11 with BatchNorm", .vgg11, batchNorm: true)
      case .vgg16: .vgg("VGG16", .vgg16, batchNorm: false)
      case .vgg16BatchNorm: .vgg("VGG16 with BatchNorm", .vgg16, batchNorm: true)
      case .densenet121: .densenet121
      case .vit: .vit("ViT", "vision transformer of your own sizes", width: 64, depth: 4, heads: 4, patch: 4)
      case .vitSmall16: .vit("ViT-S/16", "vision transformer", width: 384, depth: 12, heads: 6, patch: 16)
      case .clip:
        .clip(
          "CLIP ViT", "CLIP's vision tower, of your own sizes, and a classifier", width: 48, depth: 4, heads: 4,
          patch: 4)
      case .clipBase16:
        .clip("CLIP ViT-B/16", "CLIP's vision tower and a classifier", width: 768, depth: 12, heads: 12, patch: 16)
      case .convnext:
        .convnext(
          "ConvNeXt", "convolutional network in a transformer's clothes, of your own sizes", blocks: [1, 1, 2],
          width: 16, patch: 2)
      case .convnextTiny:
        .convnext(
          "ConvNeXt-T", "convolutional network in a transformer's clothes", blocks: [3, 3, 9, 3], width: 96, patch: 4)
      case .gpt: .gpt("GPT", "language model of your own sizes", width: 256, depth: 2, heads: 8)
      case .gpt2: .gpt("GPT-2 small", "language model", width: 768, depth: 12, heads: 12)
      }
    }
  }

  /// What a network is and how it is made.
  public struct Declaration: Sendable {
    public enum Input: String, Sendable, Codable { case pictures, tokens }

    /// In running text: `ResNet18`
    public let title: String
    /// In a few words.
    public let summary: String
    /// Whose files load unchanged.
    public let reference: String
    public let input: Input
    public let hasBatchNorm: Bool
    public let choices: [Choice]
    /// What the options' own bounds cannot say.
    let check: @Sendable (Architecture, InputShape) -> [Problem]
    let make: @Sendable (Parts) throws -> any Module

    init(
      _ title: String, _ summary: String, reference: String, input: Input = .pictures, hasBatchNorm: Bool = false,
      choices: [Choice], check: @escaping @Sendable (Architecture, InputShape) -> [Problem] = { _, _ in [] },
      make: @escaping @Sendable (Parts) throws -> any Module
    ) {
      (self.title, self.summary, self.reference) = (title, summary, reference)
      (self.input, self.hasBatchNorm, self.choices) = (input, hasBatchNorm, choices)
      (self.check, self.make) = (check, make)
    }

    var usual: [Option: Value] {
      Dictionary(uniqueKeysWithValues: choices.compactMap { choice in choice.usual.map { (choice.option, $0) } })
    }

    public func choice(_ option: Option) -> Choice? { choices.first { $0.option == option } }
  }

  /// What a network is made of: checked options, whose usual values stand where none was given.
  struct Parts {
    let architecture: Architecture
    let input: InputShape
    let classes: Int
    let generator: Generator

    func integer(_ option: Option) -> Int { architecture[option]?.integer ?? 0 }
    func integers(_ option: Option) -> [Int] { architecture[option]?.integers ?? [] }
    func number(_ option: Option) -> Double { architecture[option]?.number ?? 0 }
    func text(_ option: Option) -> String { architecture[option]?.text ?? "" }

    /// Pixels a side; the smaller one of an oblong picture.
    var size: Int { if case .picture(_, let height, let width) = input { min(height, width) } else { 0 } }
    var channels: Int { if case .picture(let channels, _, _) = input { channels } else { 0 } }
    var stem: ResNet.Stem { text(.stem) == "imagenet" ? .imagenet : .cifar }
  }
}

private typealias Choice = Architecture.Choice
private typealias Problem = Architecture.Problem

extension Architecture.Declaration {
  fileprivate static var mlp: Self {
    Self(
      "MLP", "multi-layer perceptron with ReLU", reference: "none; names as in a PyTorch list `layers` of Linear",
      choices: [
        Choice(option: .hidden, usual: .integers([256, 256]), values: .integers(count: 0...64, 1...65_536))
      ]
    ) {
      guard case .picture(let channels, let height, let width) = $0.input else { return Sequential([]) }
      return try MLP(
        inputs: channels * height * width, hidden: $0.integers(.hidden), classes: $0.classes, generator: $0.generator)
    }
  }

  fileprivate static func resnet(
    _ title: String, _ summary: String, block: ResNet.Block = .basic, blocks: [Int], width: Int = 64,
    isFixed: Bool = false
  ) -> Self {
    Self(
      title, summary, reference: "torchvision", hasBatchNorm: true,
      choices: [.blocks(blocks, isFixed: isFixed), .width(width), .stem]
    ) {
      try ResNet(
        blocks: $0.integers(.blocks), block: block, width: $0.integer(.width), stem: $0.stem,
        inputChannels: $0.channels, classes: $0.classes, generator: $0.generator)
    }
  }

  fileprivate static func vgg(_ title: String, _ depth: VGG.Depth, batchNorm: Bool) -> Self {
    Self(
      title, "stacked 3×3 convolutions", reference: "torchvision (head imagenet)", hasBatchNorm: batchNorm,
      choices: [.width(64), .head(["cifar", "imagenet"])], check: { requirePixels(32, $0, $1) }
    ) {
      try VGG(
        depth, batchNorm: batchNorm, width: $0.integer(.width),
        head: $0.text(.head) == "imagenet" ? .imagenet() : .cifar,
        inputChannels: $0.channels, classes: $0.classes, generator: $0.generator)
    }
  }

  fileprivate static var densenet121: Self {
    Self(
      "DenseNet121", "densely connected network; its growth is half the width", reference: "torchvision",
      hasBatchNorm: true, choices: [.width(64), .stem],
      check: { architecture, input in
        let width = architecture.width ?? 0
        return requirePixels(architecture.stem == .imagenet ? 32 : 8, architecture, input)
          + (width % 2 == 0
            ? [] : [Problem(key: "width", message: "is \(width); densenet121 needs an even one, twice its growth")])
      }
    ) {
      try DenseNet.densenet121(
        growth: $0.integer(.width) / 2, stem: $0.stem, inputChannels: $0.channels, classes: $0.classes,
        generator: $0.generator)
    }
  }

  fileprivate static func vit(
    _ title: String, _ summary: String, width: Int, depth: Int, heads: Int, patch: Int
  ) -> Self {
    Self(
      title, summary, reference: "timm",
      choices: transformer(width: width, depth: depth, heads: heads) + [.integer(.patch, patch, upTo: 256), .dropPath],
      check: requirePatches
    ) {
      try VisionTransformer(
        imageSize: $0.size, patch: $0.integer(.patch), width: $0.integer(.width), depth: $0.integer(.depth),
        heads: $0.integer(.heads), dropPath: $0.number(.dropPath), inputChannels: $0.channels, classes: $0.classes,
        generator: $0.generator)
    }
  }

  /// The features of CLIP ViT-B/16 are two thirds as wide as its tokens.
  fileprivate static func clip(
    _ title: String, _ summary: String, width: Int, depth: Int, heads: Int, patch: Int
  ) -> Self {
    Self(
      title, summary, reference: "open_clip, transformers CLIPVisionModel",
      choices: transformer(width: width, depth: depth, heads: heads) + [
        .integer(.patch, patch, upTo: 256), .head(["linear", "zero_shot"]),
        Choice(option: .activation, usual: nil, values: .names(["quick_gelu", "gelu"])), .dropPath,
      ], check: requirePatches
    ) {
      try CLIPVision(
        imageSize: $0.size, patch: $0.integer(.patch), width: $0.integer(.width), depth: $0.integer(.depth),
        heads: $0.integer(.heads), features: max(1, $0.integer(.width) * 2 / 3),
        activation: Activation(rawValue: $0.text(.activation)) ?? .quickGELU, dropPath: $0.number(.dropPath),
        head: CLIPVision.Head(rawValue: $0.text(.head)) ?? .linear, inputChannels: $0.channels, classes: $0.classes,
        generator: $0.generator)
    }
  }

  fileprivate static func convnext(
    _ title: String, _ summary: String, blocks: [Int], width: Int, patch: Int
  ) -> Self {
    Self(
      title, summary, reference: "timm, torchvision",
      choices: [.blocks(blocks), .width(width), .integer(.patch, patch, upTo: 32), .dropPath],
      check: { architecture, input in
        let halvings = (architecture.blocks?.count ?? 1) - 1
        return requirePixels((architecture[.patch]?.integer ?? 4) << halvings, architecture, input)
      }
    ) {
      try ConvNeXt(
        depths: $0.integers(.blocks), width: $0.integer(.width), patch: $0.integer(.patch),
        dropPath: $0.number(.dropPath), inputChannels: $0.channels, classes: $0.classes, generator: $0.generator)
    }
  }

  fileprivate static func gpt(_ title: String, _ summary: String, width: Int, depth: Int, heads: Int) -> Self {
    Self(
      title, summary, reference: "transformers GPT2LMHeadModel, GPT2Model", input: .tokens,
      choices: transformer(width: width, depth: depth, heads: heads) + [
        Choice(option: .dropout, usual: nil, values: .number(0..<1))
      ],
      check: { architecture, _ in
        let (width, heads) = (architecture.width ?? 1, architecture[.heads]?.integer ?? 1)
        return width % heads == 0
          ? [] : [Problem(key: "heads", message: "is \(heads), which does not divide the width \(width)")]
      }
    ) {
      guard case .tokens(_, let context) = $0.input else { return Sequential([]) }
      return try GPT(
        vocabulary: $0.classes, context: context, depth: $0.integer(.depth), width: $0.integer(.width),
        heads: $0.integer(.heads), dropout: $0.number(.dropout), generator: $0.generator)
    }
  }

  private static func transformer(width: Int, depth: Int, heads: Int) -> [Choice] {
    [.integer(.width, width, upTo: 65_536), .integer(.depth, depth, upTo: 1000), .integer(.heads, heads, upTo: 1024)]
  }

  private static func requirePixels(_ least: Int, _ architecture: Architecture, _ input: InputShape) -> [Problem] {
    guard case .picture(_, let height, let width) = input, min(height, width) < least else { return [] }
    let name = architecture.name.rawValue
    return [
      Problem(
        key: "name",
        message: "is \(name), which needs pictures of at least \(least) pixels; these have \(min(height, width))")
    ]
  }

  @Sendable private static func requirePatches(_ architecture: Architecture, _ input: InputShape) -> [Problem] {
    let (patch, width) = (architecture[.patch]?.integer ?? 1, architecture.width ?? 1)
    let heads = architecture[.heads]?.integer ?? 1
    var problems: [Problem] = []
    if case .picture(_, let height, let pictureWidth) = input {
      if height != pictureWidth {
        problems.append(
          Problem(
            key: "name", message: "is \(architecture.name.rawValue), which needs square pictures; these are \(input)"))
      } else if height % patch != 0 {
        problems.append(
          Problem(key: "patch", message: "is \(patch), which does not divide the pictures' \(height) pixels"))
      }
    }
    if width % heads != 0 {
      problems.append(Problem(key: "heads", message: "is \(heads), which does not divide the width \(width)"))
    }
    return problems
  }
}
