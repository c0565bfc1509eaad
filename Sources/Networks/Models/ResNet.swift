import Torch

/// A residual network (He et al. 2016) with torchvision's names, so that its checkpoints load unchanged.
///
/// Input [N, channels, H, W], output [N, classes].
public struct ResNet: Module {
  /// The residual unit.
  public enum Block: Sendable {
    /// two 3×3 convolutions
    case basic
    /// 1×1, 3×3 and 1×1 convolutions; the last has four times the channels
    case bottleneck

    var expansion: Int { self == .basic ? 1 : 4 }
  }

  /// The first convolution.
  public let conv1: Conv2d
  /// Its norm.
  public let bn1: BatchNorm2d
  let relu = ReLU(inPlace: true)
  let maxpool: MaxPool2d?
  /// The first stage.
  public let layer1: [ResidualBlock]
  /// The second stage, at half the size; empty where there is none.
  public let layer2: [ResidualBlock]
  /// The third stage; empty where there is none.
  public let layer3: [ResidualBlock]
  /// The fourth stage; empty where there is none.
  public let layer4: [ResidualBlock]
  /// The classifier.
  public let fc: Linear

  /// - Parameters:
  ///   - blocks: residual units of each stage, one to four stages. Every stage after the first halves the picture and
  ///     doubles the channels.
  ///   - width: channels of the first stage; 64 in the paper's networks.
  /// - Throws: `TorchError` for no stages or more than four, an empty stage, or a width below 1.
  public init(
    blocks: [Int], block: Block = .basic, width: Int = 64, stem: Stem = .cifar, inputChannels: Int = 3, classes: Int,
    generator: Generator
  ) throws {
    guard (1...4).contains(blocks.count), blocks.allSatisfy({ $0 > 0 }), width > 0 else {
      throw TorchError(
        operation: "ResNet",
        message: "blocks \(blocks) at width \(width): one to four stages of one or more blocks are needed")
    }
    let (kernel, stride) = stem == .cifar ? (3, 1) : (7, 2)
    conv1 = try Conv2d(
      inputChannels, width, kernel: kernel, stride: stride, padding: kernel / 2, bias: false,
      initialisation: .kaimingNormalFanOut, generator: generator)
    bn1 = try BatchNorm2d(width)
    maxpool = stem == .cifar ? nil : MaxPool2d(3, stride: 2, padding: 1)
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

  fileprivate var stages: [[ResidualBlock]] { [layer1, layer2, layer3, layer4] }

  /// The logits of pictures, [N, classes].
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    var x = try relu(bn1(conv1(input, mode), mode), mode)
    if let maxpool { x = try maxpool(x, mode) }
    for block in stages.joined() { x = try block(x, mode) }
    return try fc(x.globalAveragePool(), mode)
  }
}

/// relu(F(x) + x), with a 1×1 convolution on the shortcut where the shape changes: [N, inputs, H, W] to [N, outputs,
/// H', W'].
public struct ResidualBlock: Module {
  /// The first convolution of F.
  public let conv1: Conv2d
  /// Its norm.
  public let bn1: BatchNorm2d
  /// The second convolution of F.
  public let conv2: Conv2d
  /// Its norm.
  public let bn2: BatchNorm2d
  /// The third convolution of F, in bottlenecks only.
  public let conv3: Conv2d?
  /// Its norm.
  public let bn3: BatchNorm2d?
  /// On the shortcut: nothing, or a convolution and its norm.
  public let downsample: [any Module]
  let relu = ReLU(inPlace: true)

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

  /// relu(F(x) + x)
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    var x = try relu(bn1(conv1(input, mode), mode), mode)
    x = try bn2(conv2(x, mode), mode)
    if let conv3, let bn3 { x = try bn3(conv3(relu(x, mode), mode), mode) }
    let shortcut = try downsample.reduce(input) { try $1($0, mode) }
    return try relu(x + shortcut, mode)
  }
}

// MARK: - Evaluation

extension ResNet {
  /// The network with its norms folded into the convolutions.
  public func evaluationView() throws -> (any Module)? { FoldedResNet(self) }
}

/// A residual network with its norms folded into the convolutions, which also add what the shortcut brings and cut off
/// what is below 0.
private struct FoldedResNet: Module {
  let network: ResNet

  init(_ network: ResNet) { self.network = network }

  func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    var x = try FoldedConvolution(network.conv1, network.bn1).rectified(input)
    if let maxpool = network.maxpool { x = try maxpool(x, mode) }
    for block in network.stages.joined() { x = try folded(block, x) }
    return try network.fc(x.globalAveragePool(), mode)
  }

  /// The result may lie in the input's memory.
  private func folded(_ block: ResidualBlock, _ input: Tensor) throws -> Tensor {
    var x = try FoldedConvolution(block.conv1, block.bn1).rectified(input)
    var last = (block.conv2, block.bn2)
    if let conv3 = block.conv3, let bn3 = block.bn3 {
      x = try FoldedConvolution(block.conv2, block.bn2).rectified(x)
      last = (conv3, bn3)
    }
    var shortcut = input
    if let convolution = block.downsample.first as? Conv2d, let norm = block.downsample.last as? BatchNorm2d {
      shortcut = try FoldedConvolution(convolution, norm)(input)
    }
    return try FoldedConvolution(last.0, last.1).rectified(x, adding: shortcut)
  }
}

// MARK: - Names

extension Architecture.Name {
  /// A residual network of basic blocks, as many as one likes.
  public static let resnet = residual(
    "resnet", "ResNet", "residual network of your own blocks", blocks: .blocks([1, 1, 1]), width: 8)
  /// The 18-layer network.
  public static let resnet18 = residual("resnet18", "ResNet18", "residual network", blocks: fixed([2, 2, 2, 2]))
  /// The 34-layer network.
  public static let resnet34 = residual("resnet34", "ResNet34", "residual network", blocks: fixed([3, 4, 6, 3]))
  /// The 50-layer network, of bottlenecks.
  public static let resnet50 = residual(
    "resnet50", "ResNet50", "residual network of bottlenecks", block: .bottleneck, blocks: fixed([3, 4, 6, 3]))
  /// The network of 20 layers that He et al. ran on CIFAR-10: three stages of three basic blocks. The shortcuts that
  /// change shape are 1×1 convolutions, as in torchvision.
  public static let resnet20 = residual(
    "resnet20", "ResNet20", "He et al.'s network for CIFAR", blocks: fixed([3, 3, 3]), width: 16)

  private static func fixed(_ blocks: [Int]) -> Architecture.Choice { .blocks(blocks, isFixed: true) }

  private static func residual(
    _ name: String, _ title: String, _ summary: String, block: ResNet.Block = .basic, blocks: Architecture.Choice,
    width: Int = 64
  ) -> Self {
    Self(
      name,
      .init(
        title: title, summary: summary, reference: "torchvision", hasBatchNorm: true,
        choices: [blocks, .width(width), .stem], usualInput: { .square($0.stem == .imagenet ? 224 : 32) },
        guess: ResNet.guess
      ) { options, input, classes, generator in
        try ResNet(
          blocks: options.value(.blocks, \.integers), block: block, width: options.value(.width, \.integer),
          stem: options.value(.stem, as: Stem.self), inputChannels: input.picture().channels, classes: classes,
          generator: generator)
      })
  }
}

extension ResNet {
  fileprivate static func guess(_ weights: TensorShapes) -> Architecture.Guess? {
    guard let stem = weights["conv1.weight"], stem.count == 4, weights["layer1.0.conv1.weight"] != nil else {
      return nil
    }
    let blocks = (1...4).map { stage in weights.count { "layer\(stage).\($0).conv1.weight" } }.filter { $0 > 0 }
    let name: Architecture.Name
    switch (blocks, weights["layer1.0.conv3.weight"] != nil) {
    case ([3, 4, 6, 3], true): name = .resnet50
    case (_, true): return nil
    case ([2, 2, 2, 2], false): name = .resnet18
    case ([3, 4, 6, 3], false): name = .resnet34
    case ([3, 3, 3], false): name = .resnet20
    case (_, false): name = .resnet
    }
    return .init(
      Architecture(name: name, blocks: blocks, width: stem[0], stem: stem[2] == 7 ? .imagenet : .cifar),
      channels: stem[1], classes: weights.rows("fc.weight"))
  }
}

extension ResNet: PretrainedNetwork {
  /// How the classifier's names start.
  public var headPrefix: String { "fc." }
}

// MARK: - Symmetry

extension ResNet: SymmetricNetwork {
  /// The channels of every stage, which all its blocks add to, and those inside each block.
  public func declare(_ symmetry: inout Symmetry) {
    var stage = symmetry.units("conv1")
    symmetry.layer("conv1", to: stage)
    symmetry.norm("bn1", stage)
    for (index, blocks) in stages.enumerated() {
      for (place, block) in blocks.enumerated() {
        let name = "layer\(index + 1).\(place)"
        let input = stage
        if !block.downsample.isEmpty {
          stage = symmetry.units("\(name).downsample.0")
          symmetry.layer("\(name).downsample.0", from: input, to: stage)
          symmetry.norm("\(name).downsample.1", stage)
        }
        var inner = input
        let last = block.conv3 == nil ? 2 : 3
        for number in 1...last {
          let output = number == last ? stage : symmetry.units("\(name).conv\(number)")
          symmetry.layer("\(name).conv\(number)", from: inner, to: output)
          symmetry.norm("\(name).bn\(number)", output)
          inner = output
        }
      }
    }
    symmetry.layer("fc", from: stage)
  }
}
