import Networks
import Torch

/// The networks PyTorch ran.
public enum Oracle {
  /// Networks that PyTorch also trained for a few steps, with the settings their fixtures name.
  public static let names = ["mlp", "resnet18-cifar", "resnet18-imagenet", "resnet50", "resnet-111"]

  /// Networks it ran forwards and backwards only; `architectures.py` and `vision.py` make the same.
  public static let architectures: [String: @Sendable (Generator) throws -> any Module] = [
    "resnet20": { try ResNet(blocks: [3, 3, 3], width: 4, classes: 10, generator: $0) },
    "vgg11": { try VGG(.vgg11, batchNorm: false, width: 2, classes: 10, generator: $0) },
    "vgg11-bn": { try VGG(.vgg11, batchNorm: true, width: 2, classes: 10, generator: $0) },
    "vgg16-imagenet": {
      let head = VGG.Head.imagenet(hidden: 16, dropout: 0)
      return try VGG(.vgg16, batchNorm: false, width: 2, head: head, classes: 10, generator: $0)
    },
    "densenet-cifar": { try DenseNet(blocks: [2, 3, 1, 2], growth: 4, stem: .cifar, classes: 10, generator: $0) },
    "densenet-imagenet": { try DenseNet(blocks: [1, 2, 2, 1], growth: 4, classes: 10, generator: $0) },
    "vit": {
      try VisionTransformer(imageSize: 16, patch: 4, width: 24, depth: 2, heads: 3, classes: 10, generator: $0)
    },
    "convnext": { try ConvNeXt(depths: [1, 2, 1, 1], width: 4, classes: 10, generator: $0) },
    "clip": { try clip(activation: .gelu, head: .linear, generator: $0) },
    "clip-zero-shot": { try clip(activation: .gelu, head: .zeroShot, generator: $0) },
  ]

  /// The same networks under the names of another library, which `PretrainedNetwork.adapted` brings to ours.
  public static let otherNames: [String: @Sendable (Generator) throws -> any PretrainedNetwork] = [
    "convnext-torchvision": { try ConvNeXt(depths: [1, 2, 1, 1], width: 4, classes: 10, generator: $0) },
    "clip-transformers": { try clip(activation: .quickGELU, head: .linear, generator: $0) },
  ]

  private static func clip(activation: Activation, head: CLIPVision.Head, generator: Generator) throws -> CLIPVision {
    try CLIPVision(
      imageSize: 16, patch: 4, width: 24, depth: 2, heads: 3, features: 12, activation: activation, head: head,
      classes: 10, generator: generator)
  }

  /// The network of a fixture, with freshly drawn weights.
  public static func network(_ fixture: Fixture, seed: UInt64 = 0) throws -> any Module {
    let generator = try Generator(seed: seed)
    if let architecture = architectures[fixture.name] ?? otherNames[fixture.name] { return try architecture(generator) }
    guard fixture.metadata["sizes"] == nil else {
      let sizes: [Int] = try fixture.setting("sizes")
      return try MLP(
        inputs: sizes[0], hidden: Array(sizes[1..<(sizes.count - 1)]), classes: sizes[sizes.count - 1],
        generator: generator)
    }
    return try ResNet(
      blocks: fixture.setting("blocks"), block: fixture.metadata["block"] == "bottleneck" ? .bottleneck : .basic,
      width: fixture.setting("width"), stem: Stem(rawValue: fixture.metadata["stem"] ?? "") ?? .cifar,
      classes: 10, generator: generator)
  }
}
