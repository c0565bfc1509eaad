import Foundation
import Support
import Torch
import Weights

/// The picture side of CLIP (Radford et al. 2021) and a classifier on its features, with open_clip's names, so that its
/// checkpoints load unchanged; those of transformers' `CLIPVisionModel` and `CLIPVisionModelWithProjection` load
/// through `adapted`.
///
/// Input [N, channels, size, size], output [N, classes].
public struct CLIPVision: Module {
  /// How features become logits.
  public enum Head: String, Codable, Sendable, CaseIterable {
    /// x Wᵀ + b on the features x
    case linear
    /// W x / ‖x‖ with the classes' text embeddings times CLIP's logit scale as rows of W (`loadClasses`)
    case zeroShot = "zero_shot"
  }

  /// From pictures to features.
  public let visual: CLIPVisionTower
  /// From features to logits. Without bias for zero-shot classification.
  public let head: Linear
  let headKind: Head

  /// - Parameters:
  ///   - imageSize: pixels a side, a multiple of `patch`
  ///   - patch: pixels a side of what becomes a token
  ///   - width: channels of a token, a multiple of `heads`
  ///   - features: channels of the space shared with texts; nil: no projection, the features are the `width` of a
  ///     token.
  ///   - activation: `quick_gelu` for OpenAI's weights, `gelu` for those trained by open_clip on other data
  ///   - dropPath: stochastic depth's probability in the last block; it grows evenly from 0 in the first.
  /// - Throws: `TorchError` for sizes that do not divide each other, or below 1.
  public init(
    imageSize: Int = 224, patch: Int = 16, width: Int = 768, depth: Int = 12, heads: Int = 12, mlpRatio: Int = 4,
    features: Int? = 512, activation: Activation = .quickGELU, dropPath: Double = 0, head kind: Head = .linear,
    inputChannels: Int = 3, classes: Int, generator: Generator
  ) throws {
    try PatchEmbedding.require(
      "CLIPVision", imageSize: imageSize, patch: patch, width: width, depth: depth, heads: heads)
    guard features ?? 1 > 0 else {
      throw TorchError(operation: "CLIPVision", message: "\(features ?? 0) features; expected 1 or more")
    }
    visual = try CLIPVisionTower(
      grid: imageSize / patch, patch: patch, width: width, heads: heads, hidden: mlpRatio * width, features: features,
      activation: activation, dropPaths: DropPath.probabilities(depth, upTo: dropPath), inputChannels: inputChannels,
      generator: generator)
    head = try Linear(features ?? width, classes, bias: kind == .linear, generator: generator)
    headKind = kind
  }

  /// The logits of pictures, [N, classes].
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let features = try visual(input, mode)
    return try head(headKind == .zeroShot ? features.normalisedRows() : features, mode)
  }

  /// Makes the head the zero-shot classifier of the texts in `weights`: `class_embeddings` [classes, features], one row
  /// a class in the order of the labels, and `logit_scale` [], a natural logarithm as in CLIP's own files (ln 100 when
  /// left out).
  ///
  /// - Throws: `FileError` when the tensor is missing or of another shape, or the head is a linear one.
  public func loadClasses(_ weights: Weights) throws {
    guard headKind == .zeroShot else {
      throw FileError(
        "", "the head is a linear one, which needs no \(Self.classNames); choose the zero-shot head")
    }
    guard let classifier = try Self.classifier(weights) else {
      throw FileError(
        "",
        "the zero-shot head needs \(Self.classNames), a row of text features for every class; "
          + "there is none among \(weights.count) tensors")
    }
    let expected = head.weight.value
    guard classifier.shape == expected.shape else {
      throw FileError("", "\(Self.classNames) is \(classifier.shape), expected \(expected.shape)")
    }
    head.weight.value = try classifier.to(expected.device)
  }

  private static let classNames = "class_embeddings"

  /// The rows of `class_embeddings` at length 1, times the logit scale; nil when there are none.
  private static func classifier(_ weights: Weights) throws -> Tensor? {
    guard let embeddings = weights[classNames] else { return nil }
    return try withoutGradients {
      try embeddings.to(.float32).normalisedRows() * (weights["logit_scale"]?.to(.float32).exp() ?? .full([], 100))
    }
  }
}

/// CLIP's vision transformer: [N, channels, size, size] to features [N, features].
public struct CLIPVisionTower: Module, CustomReflectable {
  /// [width]
  public let classEmbedding: Parameter
  /// [1 + patches, width]
  public let positionalEmbedding: Parameter
  /// Into the space shared with texts, [width, features]
  public let proj: Parameter?
  /// Makes patches tokens.
  public let patchEmbed: PatchEmbedding
  /// Before the first block.
  public let lnPre: LayerNorm
  /// In the order in which they are called.
  public let blocks: [TransformerBlock]
  /// Of the class token after the last block.
  public let lnPost: LayerNorm

  init(
    grid: Int, patch: Int, width: Int, heads: Int, hidden: Int, features: Int?, activation: Activation,
    dropPaths: [Double], inputChannels: Int, generator: Generator
  ) throws {
    let scaled = Initialisation.normal(1 / Double(width).squareRoot())
    classEmbedding = Parameter(try scaled.tensor([width], generator: generator))
    positionalEmbedding = Parameter(try scaled.tensor([1 + grid * grid, width], generator: generator))
    proj = try features.map { Parameter(try scaled.tensor([width, $0], generator: generator)) }
    patchEmbed = try PatchEmbedding(inputChannels, width, patch: patch, bias: false, generator: generator)
    lnPre = try LayerNorm(width)
    blocks = try dropPaths.map {
      try TransformerBlock(
        width, heads: heads, hidden: hidden, activation: activation, dropPath: $0, naming: .openCLIP,
        generator: generator)
    }
    lnPost = try LayerNorm(width)
  }

  /// The parts under the reference's names.
  public var customMirror: Mirror {
    let blocks = blocks.enumerated().map { ("transformer.resblocks.\($0)", $1 as Any) }
    return Mirror(
      self,
      children: [
        ("class_embedding", classEmbedding as Any), ("positional_embedding", positionalEmbedding),
        ("proj", proj as Any), ("conv1", patchEmbed.proj), ("ln_pre", lnPre),
      ] + blocks + [("ln_post", lnPost)])
  }

  /// The features of pictures, [N, features].
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let patches = try patchEmbed(input, mode)
    let tokens = try Tensor.concatenate(
      [classEmbedding.value.expand([patches.shape[0], 1, patches.shape[2]]), patches], dimension: 1)
    let token = try blocks.classToken(lnPre(tokens + positionalEmbedding.value, mode), mode)
    let features = try lnPost(token, mode)
    return try proj.map { try features.matmul($0.value) } ?? features
  }
}

extension Tensor {
  /// Each row divided by its Euclidean norm: [..., channels] to the same.
  fileprivate func normalisedRows() throws -> Tensor {
    try self / norm(dimensions: [-1], keep: true).clamp(min: 1e-12)
  }
}

// MARK: - Names

extension Architecture.Name {
  /// CLIP's vision tower of one's own sizes.
  public static let clip = clip(
    "clip_vit", "CLIP ViT", "CLIP's vision tower, of your own sizes, and a classifier", width: 48, depth: 4, heads: 4,
    patch: 4, size: 32)
  /// That of CLIP ViT-B/16.
  public static let clipBase16 = clip(
    "clip_vit_b16", "CLIP ViT-B/16", "CLIP's vision tower and a classifier", width: 768, depth: 12, heads: 12,
    patch: 16, size: 224)

  /// The features of CLIP ViT-B/16 are two thirds as wide as its tokens.
  private static func clip(
    _ name: String, _ title: String, _ summary: String, width: Int, depth: Int, heads: Int, patch: Int, size: Int
  ) -> Self {
    Self(
      name,
      .init(
        title: title, summary: summary, reference: "open_clip, transformers CLIPVisionModel",
        choices: Architecture.Choice.transformer(width: width, depth: depth, heads: heads) + [
          .integer(.patch, patch, upTo: 256), .names(.head, ["linear", "zero_shot"]),
          .names(.activation, ["quick_gelu", "gelu"]), .probability(.dropPath),
        ], usualInput: { _ in .square(size) }, check: { try $0.requirePatches(in: $1) + $0.requireHeads() },
        guess: CLIPVision.guess
      ) { options, input, classes, generator in
        let (channels, height, _) = try input.picture()
        let width = try options.value(.width, \.integer)
        return try CLIPVision(
          imageSize: height, patch: options.value(.patch, \.integer), width: width,
          depth: options.value(.depth, \.integer), heads: options.value(.heads, \.integer),
          features: max(1, width * 2 / 3), activation: options.value(.activation, as: Activation.self),
          dropPath: options.value(.dropPath, \.number), head: options.value(.head, as: CLIPVision.Head.self),
          inputChannels: channels, classes: classes, generator: generator)
      })
  }
}

extension CLIPVision {
  /// open_clip's names, and transformers' with and without what they are nested in.
  fileprivate static func guess(_ weights: TensorShapes) -> Architecture.Guess? {
    let positions = "embeddings.position_embedding.weight"
    let patches = "embeddings.patch_embedding.weight"
    let block = "encoder.layers.#.layer_norm1.weight"
    for (root, positions, patches, block) in [
      ("visual.", "positional_embedding", "conv1.weight", "transformer.resblocks.#.ln_1.weight"),
      ("vision_model.", positions, patches, block), ("", positions, patches, block),
    ] {
      guard let tokens = weights[root + positions]?.first else { continue }
      return .init(
        visionTransformer: .clip, usual: .clipBase16, patches: weights[root + patches], tokens: tokens,
        depth: weights.count { root + block.replacing("#", with: "\($0)") }, classes: weights.rows("head.weight"))
    }
    return nil
  }
}

extension CLIPVision: PretrainedNetwork {
  /// How the classifier's names start.
  public var headPrefix: String { "head." }

  /// The names of transformers' `CLIPModel` and `CLIPVisionModelWithProjection`.
  public var otherNames: [NamingScheme] { [.transformersCLIP(weights.names, isNested: true)] }

  /// What CLIP's texts need is left out; `class_embeddings` among the weights become the zero-shot head, as in
  /// `loadClasses`.
  public func adapted(_ weights: Weights) throws -> (weights: Weights, messages: [String]) {
    var (weights, messages) = (weights, [String]())
    let embedding = "embeddings.class_embedding"
    let isNested = weights["vision_model." + embedding] != nil
    if isNested || weights[embedding] != nil {
      weights = try NamingScheme.transformersCLIP(self.weights.names, isNested: isNested).imported(weights)
      messages.append("names mapped from transformers's")
    } else if weights["class_embedding"] != nil, weights["visual.class_embedding"] == nil {
      weights = Weights(weights.map { ("visual." + $0, $1) })
      messages.append("names mapped from open_clip's vision tower alone")
    }
    if headKind == .zeroShot, let classifier = try Self.classifier(weights) {
      weights["head.weight"] = classifier
      weights[Self.classNames] = nil
      messages.append("the zero-shot classifier made from \(Self.classNames)")
    }
    let kept = weights.filter { name, _ in
      (name.hasPrefix("visual.") || name.hasPrefix(headPrefix)) && !(name == "visual.proj" && visual.proj == nil)
    }
    if kept.count < weights.count {
      messages.append("\(weights.count - kept.count) tensors left out that classifying pictures does not need")
    }
    let fitted = try PositionEmbedding.fit(
      "visual.positional_embedding", of: kept, to: visual.positionalEmbedding.value)
    return (fitted.weights, messages + fitted.messages)
  }
}

extension NamingScheme {
  /// transformers' names of the tower. Up to version 4, and in `CLIPModel` and `CLIPVisionModelWithProjection` ever
  /// since, they are nested below `vision_model`.
  fileprivate static func transformersCLIP(_ names: [String], isNested: Bool) -> NamingScheme {
    let root = isNested ? "vision_model." : ""
    let plain = [
      "class_embedding": "embeddings.class_embedding", "positional_embedding": "embeddings.position_embedding.weight",
      "conv1.weight": "embeddings.patch_embedding.weight",
    ]
    let parts = [
      ("ln_pre.", "pre_layrnorm."), ("ln_post.", "post_layernorm."), ("transformer.resblocks.", "encoder.layers."),
      (".attn.", ".self_attn."), (".ln_1.", ".layer_norm1."), (".ln_2.", ".layer_norm2."), (".c_fc.", ".fc1."),
      (".c_proj.", ".fc2."),
    ]
    return NamingScheme(library: "transformers", names) { name in
      guard name.hasPrefix("visual.") else { return nil }
      let own = String(name.dropFirst("visual.".count))
      if own == "proj" { return Entry(name, ["visual_projection.weight"], .transposed) }
      if let theirs = plain[own] { return Entry(name, [root + theirs]) }
      let theirs = root + parts.reduce(own) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
      for kind in ["weight", "bias"] where theirs.hasSuffix("in_proj_\(kind)") {
        let layer = theirs.dropLast("in_proj_\(kind)".count)
        return Entry(name, ["q", "k", "v"].map { "\(layer)\($0)_proj.\(kind)" }, .joined)
      }
      return Entry(name, [theirs])
    }
  }
}

// MARK: - Symmetry

extension CLIPVision: SymmetricNetwork {
  /// The channels of a token, which every block adds to, each attention's heads, each MLP's neurons, and the features.
  /// The features before a zero-shot head stay, since texts share them.
  public func declare(_ symmetry: inout Symmetry) {
    let channels = symmetry.units("visual.conv1")
    symmetry.parameter("visual.class_embedding", channels)
    symmetry.parameter("visual.positional_embedding", .fixed, channels)
    symmetry.layer("visual.conv1", to: channels)
    symmetry.norm("visual.ln_pre", channels)
    for (index, block) in visual.blocks.enumerated() {
      block.declare(&symmetry, "visual.transformer.resblocks.\(index)", channels)
    }
    symmetry.norm("visual.ln_post", channels)
    guard let projection = visual.proj else { return symmetry.layer("head", from: channels) }
    let features = head.bias == nil ? .fixed : symmetry.units("visual.proj", projection.value.shape[1])
    symmetry.parameter("visual.proj", channels, features)
    symmetry.layer("head", from: features)
  }
}
