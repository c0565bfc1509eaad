import Networks
import Torch

/// The networks PyTorch ran, with the settings their fixtures name.
public enum Oracle {
  public static let names = ["mlp", "resnet18-cifar", "resnet18-imagenet", "resnet50", "resnet-111"]

  public static func network(_ fixture: Fixture, seed: UInt64 = 0) throws -> any Module {
    let generator = try Generator(seed: seed)
    guard fixture.metadata["sizes"] == nil else {
      let sizes: [Int] = try fixture.setting("sizes")
      return try MLP(
        inputs: sizes[0], hidden: Array(sizes[1..<(sizes.count - 1)]), classes: sizes[sizes.count - 1],
        generator: generator)
    }
    return try ResNet(
      blocks: fixture.setting("blocks"), block: fixture.metadata["block"] == "bottleneck" ? .bottleneck : .basic,
      width: fixture.setting("width"), stem: ResNet.Stem(rawValue: fixture.metadata["stem"] ?? "") ?? .cifar,
      classes: 10, generator: generator)
  }
}
