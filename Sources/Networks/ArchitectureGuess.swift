import Checkpoints
import Torch
import Weights

extension Architecture {
  /// What an example for this network usually is: what its paper's were, or 3×32×32 pixels.
  public var usualInput: InputShape {
    guard name.declaration.input == .pictures else {
      return .tokens(vocabulary: 50_257, context: self[.depth] == .integer(12) ? 1024 : 256)
    }
    let isLarge =
      [.vitSmall16, .clipBase16, .convnextTiny].contains(name) || stem == .imagenet || self[.head] == .text("imagenet")
    let size = isLarge ? 224 : 32
    return .picture(height: size, width: size)
  }

  /// The network some weights are for, told by their names and shapes.
  public struct Guess: Hashable, Sendable {
    public let architecture: Architecture
    public let input: InputShape
    /// nil: the weights have no classifier.
    public let classes: Int?
  }

  /// - Returns: nil where no network of Valley's has such names. The guess is checked by loading the weights.
  public static func guess(from weights: Weights) -> Guess? {
    var shapes: [String: [Int]] = [:]
    for (name, tensor) in weights { shapes[name] = tensor.shape }
    for prefix in ["module.", "_orig_mod.", "model.", "transformer."]
    where !shapes.isEmpty && shapes.keys.allSatisfy({ $0.hasPrefix(prefix) || $0 == "lm_head.weight" }) {
      shapes = Dictionary(
        shapes.map { ($0.key.hasPrefix(prefix) ? String($0.key.dropFirst(prefix.count)) : $0.key, $0.value) },
        uniquingKeysWith: { first, _ in first })
    }
    let names = Names(shapes: shapes)
    return names.clip ?? names.vit ?? names.convnext ?? names.densenet ?? names.gpt ?? names.resnet ?? names.vgg
      ?? names.mlp
  }
}

private struct Names {
  let shapes: [String: [Int]]

  /// How many numbers in a row, from 0, complete a name: blocks of a stage.
  private func count(_ name: (Int) -> String) -> Int {
    var count = 0
    while shapes[name(count)] != nil { count += 1 }
    return count
  }

  private func rows(_ names: String...) -> Int? { names.lazy.compactMap { shapes[$0]?.first }.first }

  private static func picture(_ channels: Int, _ size: Int) -> InputShape {
    .picture(channels: channels, height: size, width: size)
  }

  /// The name whose usual sizes these are, or `other`.
  private static func known(_ name: Architecture.Name, _ architecture: Architecture, else other: Architecture.Name)
    -> Architecture
  {
    var options: [Architecture.Option: Architecture.Value] = [:]
    for option in Architecture.Option.allCases { options[option] = architecture[option] }
    let named = Architecture(name: name, options: options)
    return named == Architecture(name: name) ? named : Architecture(name: other, options: options)
  }

  private func transformer(
    _ name: Architecture.Name, else other: Architecture.Name, patches: [Int]?, tokens: Int?, depth: Int, classes: Int?
  ) -> Architecture.Guess? {
    guard let patches, patches.count == 4, let tokens, depth > 0 else { return nil }
    let (width, channels, patch) = (patches[0], patches[1], patches[2])
    let grid = Int(Double(max(0, tokens - 1)).squareRoot().rounded())
    guard grid > 0, grid * grid == tokens - 1 else { return nil }
    let heads = width % 64 == 0 ? width / 64 : 1
    let architecture = Architecture(name: other, width: width, depth: depth, heads: heads, patch: patch)
    return .init(
      architecture: Self.known(name, architecture, else: other), input: Self.picture(channels, grid * patch),
      classes: classes)
  }

  var vit: Architecture.Guess? {
    guard shapes["cls_token"] != nil else { return nil }
    return transformer(
      .vitSmall16, else: .vit, patches: shapes["patch_embed.proj.weight"],
      tokens: shapes["pos_embed"]?.dropLast().last, depth: count { "blocks.\($0).norm1.weight" },
      classes: rows("head.weight"))
  }

  var clip: Architecture.Guess? {
    for (root, positions, patches, block) in [
      ("visual.", "positional_embedding", "conv1.weight", "transformer.resblocks.#.ln_1.weight"),
      (
        "vision_model.", "embeddings.position_embedding.weight", "embeddings.patch_embedding.weight",
        "encoder.layers.#.layer_norm1.weight"
      ),
      (
        "", "embeddings.position_embedding.weight", "embeddings.patch_embedding.weight",
        "encoder.layers.#.layer_norm1.weight"
      ),
    ] where shapes[root + positions] != nil {
      return transformer(
        .clipBase16, else: .clip, patches: shapes[root + patches], tokens: shapes[root + positions]?.first,
        depth: count { root + block.replacing("#", with: "\($0)") }, classes: rows("head.weight"))
    }
    return nil
  }

  var convnext: Architecture.Guess? {
    var blocks: [Int] = []
    let stem: [Int]
    if let timm = shapes["stem.0.weight"], shapes["stages.0.blocks.0.conv_dw.weight"] != nil {
      stem = timm
      for stage in 0..<4 { blocks.append(count { "stages.\(stage).blocks.\($0).conv_dw.weight" }) }
    } else if let torchvision = shapes["features.0.0.weight"], shapes["features.1.0.block.0.weight"] != nil {
      stem = torchvision
      for stage in 0..<4 { blocks.append(count { "features.\(2 * stage + 1).\($0).block.0.weight" }) }
    } else {
      return nil
    }
    guard stem.count == 4 else { return nil }
    let sizes = Architecture(name: .convnext, blocks: blocks.filter { $0 > 0 }, width: stem[0], patch: stem[2])
    let architecture = Self.known(.convnextTiny, sizes, else: .convnext)
    // Any size of pictures would do.
    let size = architecture.name == .convnextTiny ? 224 : 32
    return .init(
      architecture: architecture, input: Self.picture(stem[1], size),
      classes: rows("head.fc.weight", "classifier.2.weight"))
  }

  var densenet: Architecture.Guess? {
    guard let stem = shapes["features.conv0.weight"], stem.count == 4 else { return nil }
    let isLarge = stem[2] == 7
    return .init(
      architecture: Architecture(name: .densenet121, width: stem[0], stem: isLarge ? .imagenet : .cifar),
      input: Self.picture(stem[1], isLarge ? 224 : 32), classes: rows("classifier.weight"))
  }

  var resnet: Architecture.Guess? {
    guard let stem = shapes["conv1.weight"], stem.count == 4, shapes["layer1.0.conv1.weight"] != nil else { return nil }
    let blocks = (1...4).map { stage in count { "layer\(stage).\($0).conv1.weight" } }.filter { $0 > 0 }
    let isBottleneck = shapes["layer1.0.conv3.weight"] != nil
    let name: Architecture.Name? =
      switch (blocks, isBottleneck) {
      case ([3, 4, 6, 3], true): .resnet50
      case ([2, 2, 2, 2], false): .resnet18
      case ([3, 4, 6, 3], false): .resnet34
      case ([3, 3, 3], false): .resnet20
      case (_, false): .resnet
      default: nil
      }
    guard let name else { return nil }
    let isLarge = stem[2] == 7
    return .init(
      architecture: Architecture(name: name, blocks: blocks, width: stem[0], stem: isLarge ? .imagenet : .cifar),
      input: Self.picture(stem[1], isLarge ? 224 : 32), classes: rows("fc.weight"))
  }

  var vgg: Architecture.Guess? {
    guard let stem = shapes["features.0.weight"], stem.count == 4,
      [2, 3, 4].contains(where: { shapes["features.\($0).weight"] != nil })
    else { return nil }
    let convolutions = shapes.values.filter { $0.count == 4 }.count
    let hasNorm = shapes["features.1.running_mean"] != nil
    let name: Architecture.Name? =
      switch (convolutions, hasNorm) {
      case (8, false): .vgg11
      case (8, true): .vgg11BatchNorm
      case (13, false): .vgg16
      case (13, true): .vgg16BatchNorm
      default: nil
      }
    guard let name else { return nil }
    let isLarge = shapes["classifier.6.weight"] != nil
    return .init(
      architecture: Architecture(name: name, width: stem[0], head: isLarge ? "imagenet" : nil),
      input: Self.picture(stem[1], isLarge ? 224 : 32), classes: rows("classifier.6.weight", "classifier.weight"))
  }

  var gpt: Architecture.Guess? {
    guard let table = shapes["wte.weight"], table.count == 2, let positions = shapes["wpe.weight"]?.first,
      let name = Architecture.Name(rawValue: "gpt"), let small = Architecture.Name(rawValue: "gpt2")
    else { return nil }
    let depth = count { "h.\($0).ln_1.weight" }
    let architecture = Architecture(
      name: name, width: table[1], depth: depth, heads: table[1] % 64 == 0 ? table[1] / 64 : 1)
    return .init(
      architecture: Self.known(small, architecture, else: name),
      input: .tokens(vocabulary: table[0], context: positions),
      classes: table[0])
  }

  var mlp: Architecture.Guess? {
    let depth = count { "layers.\($0).weight" }
    let widths = (0..<depth).compactMap { shapes["layers.\($0).weight"]?.first }
    guard depth > 0, let inputs = shapes["layers.0.weight"], inputs.count == 2, widths.count == depth else {
      return nil
    }
    // Of colour where that gives whole squares.
    let channels = [3, 1].first { channels in
      let size = Int((Double(inputs[1]) / Double(channels)).squareRoot().rounded())
      return size * size * channels == inputs[1]
    }
    guard let channels else { return nil }
    let size = Int((Double(inputs[1]) / Double(channels)).squareRoot().rounded())
    return .init(
      architecture: Architecture(name: .mlp, hidden: Array(widths.dropLast())), input: Self.picture(channels, size),
      classes: widths.last)
  }
}
