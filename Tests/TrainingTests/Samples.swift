import Datasets
import Networks
import Torch
import Training

/// Small pictures that a small network can learn something about.
enum Samples {
  static func dataset(_ split: Split = .train, count: Int = 64, size: Int = 8) throws -> DeviceDataset {
    var glyphs = Glyphs(classes: 10, noise: 0.05, seed: 3)
    glyphs.size = size
    let statistics = try glyphs.dataset(.train, count: 64).channelStatistics()
    return try DeviceDataset(glyphs.dataset(split, count: count), normalisedBy: statistics)
  }

  static func batches(
    size: Int = 16, augmentation: Augmentation = Augmentation(flip: true, crop: 1), order: Int = 1, count: Int = 64,
    pixels: Int = 8
  ) throws -> TrainingBatches {
    try TrainingBatches(
      dataset(count: count, size: pixels), batchSize: size, augmentation: augmentation, orderSeed: order,
      augmentationSeed: 2)
  }

  static func network(_ kind: Kind, seed: UInt64 = 5, size: Int = 8) throws -> any Module {
    let generator = try Generator(seed: seed)
    return switch kind {
    case .mlp: try MLP(inputs: 3 * size * size, hidden: [16], classes: 10, generator: generator)
    case .resnet: try ResNet(blocks: [1, 1], width: 4, classes: 10, generator: generator)
    }
  }

  enum Kind: CaseIterable, Sendable { case mlp, resnet }
}
