import Torch

/// Stacked 3×3 convolutions (Simonyan and Zisserman 2015) with torchvision's names, so that its checkpoints load
/// unchanged.
///
/// Input [N, channels, H, W] of at least 32 × 32 pixels, output [N, classes].
public struct VGG: Module {
  /// How features become logits.
  public enum Head: Sendable, Hashable {
    /// the mean over height and width, and one linear layer `classifier`: usual for pictures of 32 pixels
    case cifar
    /// averages over 7 × 7 windows, and three linear layers with dropout: torchvision's, of 4096 hidden units and
    /// probability 0.5
    case imagenet(hidden: Int = 4096, dropout: Double = 0.5)
  }

  /// Convolutions of the five stages; each stage ends by halving the picture.
  public enum Depth: Sendable, CaseIterable {
    /// 1, 1, 2, 2 and 2
    case vgg11
    /// 2, 2, 3, 3 and 3
    case vgg16

    var convolutions: [Int] { self == .vgg11 ? [1, 1, 2, 2, 2] : [2, 2, 3, 3, 3] }
  }

  /// Convolutions with what follows each, and pooling.
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

  /// The logits of pictures, [N, classes].
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    let x = try features(input, mode)
    let pooled = try head == .cifar ? x.globalAveragePool() : x.adaptiveAveragePool2d(7).flatten(from: 1)
    return try classifier(pooled, mode)
  }
}

// MARK: - Names

extension Architecture.Name {
  /// 11 layers with weights.
  public static let vgg11 = vgg("vgg11", "VGG11", .vgg11, batchNorm: false)
  /// The same with a norm after each convolution.
  public static let vgg11BatchNorm = vgg("vgg11_bn", "VGG11 with BatchNorm", .vgg11, batchNorm: true)
  /// 16 layers with weights.
  public static let vgg16 = vgg("vgg16", "VGG16", .vgg16, batchNorm: false)
  /// The same with a norm after each convolution.
  public static let vgg16BatchNorm = vgg("vgg16_bn", "VGG16 with BatchNorm", .vgg16, batchNorm: true)

  private static func vgg(_ name: String, _ title: String, _ depth: VGG.Depth, batchNorm: Bool) -> Self {
    Self(
      name,
      .init(
        title: title, summary: "stacked 3×3 convolutions", reference: "torchvision (head imagenet)",
        hasBatchNorm: batchNorm, choices: [.width(64), .names(.head, ["cifar", "imagenet"])],
        usualInput: { .square($0[.head] == .text("imagenet") ? 224 : 32) },
        check: { try $0.requirePixels(32, in: $1) }, guess: VGG.guess
      ) { options, input, classes, generator in
        try VGG(
          depth, batchNorm: batchNorm, width: options.value(.width, \.integer),
          head: options.value(.head, \.text) == "imagenet" ? .imagenet() : .cifar,
          inputChannels: input.picture().channels, classes: classes, generator: generator)
      })
  }
}

extension VGG {
  fileprivate static func guess(_ weights: TensorShapes) -> Architecture.Guess? {
    guard let stem = weights["features.0.weight"], stem.count == 4,
      [2, 3, 4].contains(where: { weights["features.\($0).weight"] != nil })
    else { return nil }
    let name: Architecture.Name
    switch (weights.count(ofRank: 4), weights["features.1.running_mean"] != nil) {
    case (8, false): name = .vgg11
    case (8, true): name = .vgg11BatchNorm
    case (13, false): name = .vgg16
    case (13, true): name = .vgg16BatchNorm
    default: return nil
    }
    let isLarge = weights["classifier.6.weight"] != nil
    return .init(
      Architecture(name: name, width: stem[0], head: isLarge ? "imagenet" : nil), channels: stem[1],
      classes: weights.rows("classifier.6.weight", "classifier.weight"))
  }
}

extension VGG: PretrainedNetwork {
  /// How the classifier's names start.
  public var headPrefix: String { head == .cifar ? "classifier." : "classifier.6." }
}

// MARK: - Symmetry

extension VGG: SymmetricNetwork {
  /// The channels of every convolution and the neurons of every hidden linear layer. Flattening leaves the pixels of a
  /// channel side by side.
  public func declare(_ symmetry: inout Symmetry) {
    var channels = Symmetry.Axis.fixed
    for (index, layer) in features.layers.enumerated() {
      let name = "features.\(index)"
      if layer is Conv2d {
        let outputs = symmetry.units(name)
        symmetry.layer(name, from: channels, to: outputs)
        channels = outputs
      } else if layer is BatchNorm2d {
        symmetry.norm(name, channels)
      }
    }
    guard let linears = classifier as? Sequential else { return symmetry.layer("classifier", from: channels) }
    let places = linears.layers.indices.filter { linears.layers[$0] is Linear }
    for place in places {
      let name = "classifier.\(place)"
      if place == places.first, let linear = linears.layers[place] as? Linear, channels.length > 0 {
        channels = channels.inBlocks(of: linear.weight.value.shape[1] / channels.length)
      }
      let outputs = place == places.last ? .fixed : symmetry.units(name)
      symmetry.layer(name, from: channels, to: outputs)
      channels = outputs
    }
  }
}
