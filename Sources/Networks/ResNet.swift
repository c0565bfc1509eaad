import Torch

/// A residual network (He et al. 2016) with torchvision's names, so that its checkpoints load unchanged.
///
/// Input [N, channels, H, W], output [N, classes].
public struct ResNet: Module {
  /// How pictures enter the network.
  public enum Stem: String, Sendable, CaseIterable {
    /// 3×3 convolution, for pictures of 32 pixels or so
    case cifar
    /// 7×7 convolution with stride 2 and 3×3 max pooling with stride 2
    case imagenet
  }

  /// The residual unit.
  public enum Block: Sendable {
    /// two 3×3 convolutions
    case basic
    /// 1×1, 3×3 and 1×1 convolutions; the last has four times the channels
    case bottleneck

    var expansion: Int { self == .basic ? 1 : 4 }
  }

  public let conv1: Conv2d
  public let bn1: BatchNorm2d
  public let layer1: [ResidualBlock]
  public let layer2: [ResidualBlock]
  public let layer3: [ResidualBlock]
  public let layer4: [ResidualBlock]
  public let fc: Linear
  let stem: Stem

  /// - Parameters:
  ///   - blocks: residual units of each stage, one to four stages. Every stage after the first halves the picture and doubles the channels.
  ///   - width: channels of the first stage; 64 in the paper's networks.
  public init(
    blocks: [Int], block: Block = .basic, width: Int = 64, stem: Stem = .cifar, inputChannels: Int = 3, classes: Int,
    generator: Generator
  ) throws {
    guard (1...4).contains(blocks.count), blocks.allSatisfy({ $0 > 0 }), width > 0 else {
      throw TorchError(
        operation: "ResNet",
        message: "blocks \(blocks) at width \(width): one to four stages of one or more blocks are needed")
    }
    self.stem = stem
    conv1 =
      stem == .cifar
      ? try Conv2d(
        inputChannels, width, kernel: 3, padding: 1, bias: false, initialisation: .kaimingNormalFanOut,
        generator: generator)
      : try Conv2d(
        inputChannels, width, kernel: 7, stride: 2, padding: 3, bias: false, initialisation: .kaimingNormalFanOut,
        generator: generator)
    bn1 = try BatchNorm2d(width)
    var channels = width
    let stages = try (0..<4).map { stage -> [ResidualBlock] in
      guard stage < blocks.count else { return [] }
      let planes = width << stage
      return try (0..<blocks[stage]).map { index in
        defer { channels = planes * block.expansion }
        return try ResidualBlock(
          channels, planes: planes, stride: stage > 0 && index == 0 ? 2 : 1, block: block, generator: generator)
      }
    }
    (layer1, layer2, layer3, layer4) = (stages[0], stages[1], stages[2], stages[3])
    fc = try Linear(channels, classes, generator: generator)
  }

  /// The network of 20 layers that He et al. ran on CIFAR-10: three stages of three basic blocks, 16 channels at `width` 16; the
  /// shortcuts that change shape are 1×1 convolutions, as in torchvision.
  public static func resnet20(width: Int = 16, inputChannels: Int = 3, classes: Int, generator: Generator) throws
    -> ResNet
  {
    try ResNet(
      blocks: [3, 3, 3], width: width, inputChannels: inputChannels, classes: classes, generator: generator)
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    var x = try bn1(after: conv1, input, mode, rectified: true)
    if stem == .imagenet { x = try x.maxPool2d(3, stride: 2, padding: 1) }
    for block in [layer1, layer2, layer3, layer4].joined() {
      x = try observesModules ? block(x, mode) : block.forward(x, mode, overwriting: true)
    }
    return try fc(x.globalAveragePool(), mode)
  }
}

/// x + F(x), with a 1×1 convolution on the shortcut where the shape changes.
public struct ResidualBlock: Module {
  public let conv1: Conv2d
  public let bn1: BatchNorm2d
  public let conv2: Conv2d
  public let bn2: BatchNorm2d
  /// Bottlenecks only.
  public let conv3: Conv2d?
  public let bn3: BatchNorm2d?
  /// Empty, or a convolution and its norm.
  public let downsample: [any Module]

  init(_ inputs: Int, planes: Int, stride: Int, block: ResNet.Block, generator: Generator) throws {
    func convolution(_ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1) throws -> Conv2d {
      try Conv2d(
        inputs, outputs, kernel: kernel, stride: stride, padding: kernel / 2, bias: false,
        initialisation: .kaimingNormalFanOut, generator: generator)
    }
    let outputs = planes * block.expansion
    switch block {
    case .basic:
      conv1 = try convolution(inputs, planes, kernel: 3, stride: stride)
      conv2 = try convolution(planes, planes, kernel: 3)
      conv3 = nil
      bn3 = nil
    case .bottleneck:
      conv1 = try convolution(inputs, planes, kernel: 1)
      conv2 = try convolution(planes, planes, kernel: 3, stride: stride)
      conv3 = try convolution(planes, outputs, kernel: 1)
      bn3 = try BatchNorm2d(outputs)
    }
    bn1 = try BatchNorm2d(planes)
    bn2 = try BatchNorm2d(planes)
    downsample =
      stride != 1 || inputs != outputs
      ? [try convolution(inputs, outputs, kernel: 1, stride: stride), try BatchNorm2d(outputs)] : []
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try forward(input, mode, overwriting: false)
  }

  /// - Parameter overwriting: whether the result may take the input's memory
  func forward(_ input: Tensor, _ mode: Mode, overwriting: Bool) throws -> Tensor {
    let x = try bn1(after: conv1, input, mode, rectified: true)
    let overwrites = overwriting || !downsample.isEmpty
    guard let conv3, let bn3 else {
      return try bn2(
        after: conv2, x, mode, rectified: true, adding: shortcut(input, mode), overwriting: overwrites)
    }
    return try bn3(
      after: conv3, bn2(after: conv2, x, mode, rectified: true), mode, rectified: true, adding: shortcut(input, mode),
      overwriting: overwrites)
  }

  private func shortcut(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    guard let convolution = downsample.first as? Conv2d, let norm = downsample.last as? BatchNorm2d else {
      return input
    }
    return try norm(after: convolution, input, mode)
  }
}
