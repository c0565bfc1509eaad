import Torch

/// Stacked 3×3 convolutions (Simonyan and Zisserman 2015) with torchvision's names, so that its checkpoints load unchanged.
///
/// Input [N, channels, H, W] of at least 32 × 32 pixels, output [N, classes].
public struct VGG: Module {
  /// How features become logits.
  public enum Head: Sendable, Hashable {
    /// the mean over height and width, and one linear layer `classifier`: usual for pictures of 32 pixels
    case cifar
    /// averages over 7 × 7 windows, and three linear layers with dropout: torchvision's, of 4096 hidden units and probability 0.5
    case imagenet(hidden: Int = 4096, dropout: Double = 0.5)
  }

  /// Convolutions of the five stages; each stage ends by halving the picture.
  public enum Depth: Sendable, CaseIterable {
    case vgg11, vgg16

    var convolutions: [Int] { self == .vgg11 ? [1, 1, 2, 2, 2] : [2, 2, 3, 3, 3] }
  }

  public let features: Sequential
  /// A `Linear` or, for ImageNet, a `Sequential`.
  public let classifier: any Module
  let head: Head

  /// - Parameters:
  ///   - width: channels of the first stage, 64 in the paper; the next three stages double them.
  ///   - generator: draws the weights, and afterwards the ImageNet head's dropout.
  /// - Throws: `TorchError` for a width below 1.
  public init(
    _ depth: Depth, batchNorm: Bool, width: Int = 64, head: Head = .cifar, inputChannels: Int = 3, classes: Int,
    generator: Generator
  ) throws {
    guard width > 0 else { throw TorchError(operation: "VGG", message: "width \(width); expected 1 or more") }
    var layers: [any Module] = []
    var channels = inputChannels
    for (stage, count) in depth.convolutions.enumerated() {
      let planes = width << min(stage, 3)
      for _ in 0..<count {
        layers.append(
          try Conv2d(
            channels, planes, kernel: 3, padding: 1, initialisation: .kaimingNormalFanOut, generator: generator))
        if batchNorm { layers.append(try BatchNorm2d(planes)) }
        layers.append(ReLU())
        channels = planes
      }
      layers.append(MaxPool2d(2))
    }
    features = Sequential(layers)
    self.head = head
    func linear(_ inputs: Int, _ outputs: Int) throws -> Linear {
      try Linear(inputs, outputs, initialisation: .normal(0.01), generator: generator)
    }
    switch head {
    case .cifar: classifier = try linear(channels, classes)
    case .imagenet(let hidden, let dropout):
      classifier = Sequential([
        try linear(channels * 7 * 7, hidden), ReLU(), try Dropout(dropout, generator: generator),
        try linear(hidden, hidden), ReLU(), try Dropout(dropout, generator: generator),
        try linear(hidden, classes),
      ])
    }
  }

  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let x = try features(input, mode)
    let pooled = try head == .cifar ? x.globalAveragePool() : x.adaptiveAveragePool2d(7).flatten(from: 1)
    return try classifier(pooled, mode)
  }
}
