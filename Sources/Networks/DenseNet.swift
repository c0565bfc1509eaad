import Torch

/// A densely connected network (Huang et al. 2017) with torchvision's names, so that its checkpoints load unchanged.
///
/// Each layer reads every map before it in its block and adds `growth` of its own. Input [N, channels, H, W], output [N, classes].
public struct DenseNet: Module {
  public let features: Features
  public let classifier: Linear

  /// - Parameters:
  ///   - blocks: layers of each dense block; [6, 12, 24, 16] is DenseNet121. Between two blocks the picture and its channels are halved.
  ///   - growth: channels each layer adds; the stem has twice as many. 32 in DenseNet121.
  ///   - stem: `cifar` keeps pictures of 32 or 64 pixels at their size with a 3×3 convolution.
  /// - Throws: `TorchError` for no blocks, an empty block, or a growth below 1.
  public init(
    blocks: [Int], growth: Int = 32, stem: ResNet.Stem = .imagenet, inputChannels: Int = 3, classes: Int,
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

  /// DenseNet121 at `growth` 32.
  public static func densenet121(
    growth: Int = 32, stem: ResNet.Stem = .imagenet, inputChannels: Int = 3, classes: Int, generator: Generator
  ) throws -> DenseNet {
    try DenseNet(
      blocks: [6, 12, 24, 16], growth: growth, stem: stem, inputChannels: inputChannels, classes: classes,
      generator: generator)
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try classifier(features(input, mode).reluInPlace().globalAveragePool(), mode)
  }

  /// Stem, dense blocks with a transition between each two, and a last norm: [N, channels, H, W] to [N, `channels`, H', W'].
  public struct Features: Module, CustomReflectable {
    public let conv0: Conv2d
    public let norm0: BatchNorm2d
    public let blocks: [DenseBlock]
    public let transitions: [Transition]
    public let norm5: BatchNorm2d
    /// Channels that come out.
    let channels: Int
    let stem: ResNet.Stem

    init(blocks counts: [Int], growth: Int, stem: ResNet.Stem, inputChannels: Int, generator: Generator) throws {
      var channels = 2 * growth
      self.stem = stem
      conv0 =
        stem == .cifar
        ? try denseConvolution(inputChannels, channels, kernel: 3, generator: generator)
        : try denseConvolution(inputChannels, channels, kernel: 7, stride: 2, generator: generator)
      norm0 = try BatchNorm2d(channels)
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

    public var customMirror: Mirror {
      var children: [(label: String?, value: Any)] = [("conv0", conv0), ("norm0", norm0)]
      for (index, block) in blocks.enumerated() {
        children.append(("denseblock\(index + 1)", block))
        if index < transitions.count { children.append(("transition\(index + 1)", transitions[index])) }
      }
      children.append(("norm5", norm5))
      return Mirror(self, children: children)
    }

    public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
      var x = try norm0(conv0(input, mode), mode).reluInPlace()
      if stem == .imagenet { x = try x.maxPool2d(3, stride: 2, padding: 1) }
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
  public let layers: [DenseLayer]

  init(_ inputs: Int, layers count: Int, growth: Int, generator: Generator) throws {
    layers = try (0..<count).map { try DenseLayer(inputs + $0 * growth, growth: growth, generator: generator) }
  }

  public var customMirror: Mirror {
    Mirror(self, children: layers.enumerated().map { ("denselayer\($0 + 1)", $1 as Any) })
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try layers.reduce(input) { try Tensor.concatenate([$0, $1($0, mode)], dimension: 1) }
  }
}

/// Norm, ReLU and 1×1 convolution to 4 · growth channels; norm, ReLU and 3×3 convolution to `growth` channels.
public struct DenseLayer: Module {
  public let norm1: BatchNorm2d
  public let conv1: Conv2d
  public let norm2: BatchNorm2d
  public let conv2: Conv2d

  init(_ inputs: Int, growth: Int, generator: Generator) throws {
    norm1 = try BatchNorm2d(inputs)
    conv1 = try denseConvolution(inputs, 4 * growth, kernel: 1, generator: generator)
    norm2 = try BatchNorm2d(4 * growth)
    conv2 = try denseConvolution(4 * growth, growth, kernel: 3, generator: generator)
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let x = try conv1(norm1(input, mode).reluInPlace(), mode)
    return try conv2(norm2(x, mode).reluInPlace(), mode)
  }
}

/// Norm, ReLU, 1×1 convolution and 2×2 means: [N, inputs, H, W] to [N, outputs, H / 2, W / 2].
public struct Transition: Module {
  public let norm: BatchNorm2d
  public let conv: Conv2d

  init(_ inputs: Int, _ outputs: Int, generator: Generator) throws {
    norm = try BatchNorm2d(inputs)
    conv = try denseConvolution(inputs, outputs, kernel: 1, generator: generator)
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try conv(norm(input, mode).reluInPlace(), mode).averagePool2d(2)
  }
}

private func denseConvolution(_ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, generator: Generator) throws
  -> Conv2d
{
  try Conv2d(
    inputs, outputs, kernel: kernel, stride: stride, padding: kernel / 2, bias: false,
    initialisation: .kaimingNormalFanIn, generator: generator)
}
