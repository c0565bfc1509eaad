import Torch
import Weights

/// A densely connected network (Huang et al. 2017) with torchvision's names, so that its checkpoints load unchanged.
///
/// Each layer reads every map before it in its block and adds `growth` of its own. Input [N, channels, H, W], output
/// [N, classes].
public struct DenseNet: Module {
  /// All but the classifier.
  public let features: Features
  /// From means over the picture to logits.
  public let classifier: Linear
  let relu = ReLU(inPlace: true)

  /// - Parameters:
  ///   - blocks: layers of each dense block; [6, 12, 24, 16] is DenseNet121. Between two blocks the picture and its
  ///     channels are halved.
  ///   - growth: channels each layer adds; the stem has twice as many. 32 in DenseNet121.
  ///   - stem: `cifar` keeps pictures of 32 or 64 pixels at their size with a 3×3 convolution.
  /// - Throws: `TorchError` for no blocks, an empty block, or a growth below 1.
  public init(
    blocks: [Int], growth: Int = 32, stem: Stem = .imagenet, inputChannels: Int = 3, classes: Int,
    generator: Generator
  ) throws {
    guard !blocks.isEmpty, blocks.allSatisfy({ $0 > 0 }), growth > 0 else {
      throw TorchError(
        operation: "DenseNet",
        message: "blocks \(blocks) at growth \(growth): one or more blocks of one or more layers are needed")
    }
    features = try Features(
      blocks: blocks, growth: growth, stem: stem, inputChannels: inputChannels, generator: generator)
    classifier = try Linear(features.channels, classes, generator: generator)
    classifier.bias?.value = try .zeros([classes])
  }

  /// The logits of pictures, [N, classes].
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try classifier(relu(features(input, mode), mode).globalAveragePool(), mode)
  }

  /// Stem, dense blocks with a transition between each two, and a last norm: [N, channels, H, W] to [N, `channels`, H',
  /// W'].
  public struct Features: Module, CustomReflectable {
    /// The stem.
    public let conv0: Conv2d
    /// Its norm.
    public let norm0: BatchNorm2d
    let relu0 = ReLU(inPlace: true)
    let pool0: MaxPool2d?
    /// The dense blocks.
    public let blocks: [DenseBlock]
    /// One after each block but the last.
    public let transitions: [Transition]
    /// After the last block.
    public let norm5: BatchNorm2d
    /// Channels that come out.
    let channels: Int

    init(blocks counts: [Int], growth: Int, stem: Stem, inputChannels: Int, generator: Generator) throws {
      var channels = 2 * growth
      let (kernel, stride) = stem == .cifar ? (3, 1) : (7, 2)
      conv0 = try denseConvolution(inputChannels, channels, kernel: kernel, stride: stride, generator: generator)
      norm0 = try BatchNorm2d(channels)
      pool0 = stem == .cifar ? nil : MaxPool2d(3, stride: 2, padding: 1)
      var blocks: [DenseBlock] = []
      var transitions: [Transition] = []
      for (index, count) in counts.enumerated() {
        blocks.append(try DenseBlock(channels, layers: count, growth: growth, generator: generator))
        channels += count * growth
        if index < counts.count - 1 {
          transitions.append(try Transition(channels, channels / 2, generator: generator))
          channels /= 2
        }
      }
      (self.blocks, self.transitions, self.channels) = (blocks, transitions, channels)
      norm5 = try BatchNorm2d(channels)
    }

    /// The parts under the reference's names.
    public var customMirror: Mirror {
      var children: [(label: String?, value: Any)] = [("conv0", conv0), ("norm0", norm0)]
      for (index, block) in blocks.enumerated() {
        children.append(("denseblock\(index + 1)", block))
        if index < transitions.count { children.append(("transition\(index + 1)", transitions[index])) }
      }
      children.append(("norm5", norm5))
      return Mirror(self, children: children)
    }

    /// The maps after the last norm.
    public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
      var x = try relu0(norm0(conv0(input, mode), mode), mode)
      if let pool0 { x = try pool0(x, mode) }
      for (index, block) in blocks.enumerated() {
        x = try block(x, mode)
        if index < transitions.count { x = try transitions[index](x, mode) }
      }
      return try norm5(x, mode)
    }
  }
}

/// Layers that each read all maps so far: [N, inputs, H, W] to [N, inputs + layers · growth, H, W].
public struct DenseBlock: Module, CustomReflectable {
  /// In the order in which they are called.
  public let layers: [DenseLayer]

  init(_ inputs: Int, layers count: Int, growth: Int, generator: Generator) throws {
    layers = try (0..<count).map { try DenseLayer(inputs + $0 * growth, growth: growth, generator: generator) }
  }

  /// The parts under the reference's names.
  public var customMirror: Mirror {
    Mirror(self, children: layers.enumerated().map { ("denselayer\($0 + 1)", $1 as Any) })
  }

  /// The maps read, and those of each layer.
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try layers.reduce(input) { try Tensor.concatenate([$0, $1($0, mode)], dimension: 1) }
  }
}

/// Norm, ReLU and 1×1 convolution to 4 · growth channels; norm, ReLU and 3×3 convolution to `growth` channels:
/// [N, inputs, H, W] to [N, growth, H, W].
public struct DenseLayer: Module {
  /// Of all maps so far.
  public let norm1: BatchNorm2d
  /// 1×1.
  public let conv1: Conv2d
  /// Between the convolutions.
  public let norm2: BatchNorm2d
  /// 3×3.
  public let conv2: Conv2d
  let relu = ReLU(inPlace: true)

  init(_ inputs: Int, growth: Int, generator: Generator) throws {
    norm1 = try BatchNorm2d(inputs)
    conv1 = try denseConvolution(inputs, 4 * growth, kernel: 1, generator: generator)
    norm2 = try BatchNorm2d(4 * growth)
    conv2 = try denseConvolution(4 * growth, growth, kernel: 3, generator: generator)
  }

  /// The maps that the layer adds.
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let x = try conv1(relu(norm1(input, mode), mode), mode)
    return try conv2(relu(norm2(x, mode), mode), mode)
  }
}

/// Norm, ReLU, 1×1 convolution and 2×2 means: [N, inputs, H, W] to [N, outputs, H / 2, W / 2].
public struct Transition: Module {
  /// Of all maps of the block.
  public let norm: BatchNorm2d
  /// 1×1.
  public let conv: Conv2d
  let relu = ReLU(inPlace: true)

  init(_ inputs: Int, _ outputs: Int, generator: Generator) throws {
    norm = try BatchNorm2d(inputs)
    conv = try denseConvolution(inputs, outputs, kernel: 1, generator: generator)
  }

  /// Half as many maps at half the size.
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try conv(relu(norm(input, mode), mode), mode).averagePool2d(2)
  }
}

private func denseConvolution(_ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, generator: Generator) throws
  -> Conv2d
{
  try Conv2d(
    inputs, outputs, kernel: kernel, stride: stride, padding: kernel / 2, bias: false,
    initialisation: .kaimingNormalFanIn, generator: generator)
}

// MARK: - Names

extension Architecture.Name {
  /// DenseNet121, of a growth of half the width.
  public static let densenet121 = Self(
    "densenet121",
    .init(
      title: "DenseNet121", summary: "densely connected network; its growth is half the width",
      reference: "torchvision", hasBatchNorm: true, choices: [.width(64), .stem],
      usualInput: { .square($0.stem == .imagenet ? 224 : 32) },
      check: { architecture, input in
        let width = try architecture.value(.width, \.integer)
        let odd = Architecture.Problem(
          key: "width", message: "is \(width); densenet121 needs an even one, twice its growth")
        return try architecture.requirePixels(architecture.stem == .imagenet ? 32 : 8, in: input)
          + (width % 2 == 0 ? [] : [odd])
      }, guess: DenseNet.guess
    ) { options, input, classes, generator in
      try DenseNet(
        blocks: [6, 12, 24, 16], growth: options.value(.width, \.integer) / 2,
        stem: options.value(.stem, as: Stem.self), inputChannels: input.picture().channels, classes: classes,
        generator: generator)
    })
}

extension DenseNet {
  fileprivate static func guess(_ weights: TensorShapes) -> Architecture.Guess? {
    guard let stem = weights["features.conv0.weight"], stem.count == 4 else { return nil }
    return .init(
      Architecture(name: .densenet121, width: stem[0], stem: stem[2] == 7 ? .imagenet : .cifar), channels: stem[1],
      classes: weights.rows("classifier.weight"))
  }
}

extension DenseNet: PretrainedNetwork {
  /// How the classifier's names start.
  public var headPrefix: String { "classifier." }

  /// Takes the names of torchvision's first files, `denselayer1.norm.1.weight` for `denselayer1.norm1.weight`.
  public func adapted(_ weights: Weights) throws -> (weights: Weights, messages: [String]) {
    var isOld = false
    let tensors = weights.map { name, tensor -> (String, Tensor) in
      var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      guard let place = parts.firstIndex(where: { $0.hasPrefix("denselayer") }), parts.count > place + 3,
        ["norm", "conv"].contains(parts[place + 1]), ["1", "2"].contains(parts[place + 2])
      else { return (name, tensor) }
      isOld = true
      parts[place + 1] += parts.remove(at: place + 2)
      return (parts.joined(separator: "."), tensor)
    }
    return (Weights(tensors), isOld ? ["names mapped from torchvision's first files"] : [])
  }
}

// MARK: - Symmetry

extension DenseNet: SymmetricNetwork {
  /// The maps that each layer adds and those inside it. A layer reads the maps of all before it in its block, side by
  /// side.
  public func declare(_ symmetry: inout Symmetry) {
    var maps = symmetry.units("features.conv0")
    symmetry.layer("features.conv0", to: maps)
    symmetry.norm("features.norm0", maps)
    for (index, block) in features.blocks.enumerated() {
      for place in block.layers.indices {
        let name = "features.denseblock\(index + 1).denselayer\(place + 1)"
        let (inner, growth) = (symmetry.units("\(name).conv1"), symmetry.units("\(name).conv2"))
        symmetry.norm("\(name).norm1", maps)
        symmetry.layer("\(name).conv1", from: maps, to: inner)
        symmetry.norm("\(name).norm2", inner)
        symmetry.layer("\(name).conv2", from: inner, to: growth)
        maps = maps + growth
      }
      guard index < features.transitions.count else { continue }
      let name = "features.transition\(index + 1)"
      let output = symmetry.units("\(name).conv")
      symmetry.norm("\(name).norm", maps)
      symmetry.layer("\(name).conv", from: maps, to: output)
      maps = output
    }
    symmetry.norm("features.norm5", maps)
    symmetry.layer("classifier", from: maps)
  }
}
