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
    case .dropout: try DropoutNetwork(inputs: 3 * size * size, classes: 10, generator: generator)
    }
  }

  enum Kind: CaseIterable, Sendable { case mlp, resnet, dropout }
}

/// Linear layers with dropout after each but the last.
struct DropoutNetwork: Module {
  let first: Linear
  let layers: Sequential

  init(inputs: Int, classes: Int, generator: Generator) throws {
    first = try Linear(inputs, 16, generator: generator)
    layers = try Sequential([
      ReLU(), Dropout(0.3, generator: generator), Linear(16, 16, generator: generator), ReLU(),
      Dropout(0.3, generator: generator), Linear(16, classes, generator: generator),
    ])
  }

  func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    try layers(first(input.flatten(from: 1), mode), mode)
  }
}

/// Logits of the next token read off a table: the smallest language model.
struct TokenTable: Module {
  let table: Parameter

  init(vocabulary: Int) throws {
    table = Parameter(try Tensor.normal([vocabulary, vocabulary], generator: Generator(seed: 1)))
  }

  func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor { try Tensor.embedding(table.value, input) }
}

/// Sequences of one length, whose labels are their next tokens. In training, every batch is all of them.
struct TokenSource: ExampleSource, BatchStream {
  let sequences: [[Int]]
  let vocabulary: Int
  var count: Int { sequences.count }
  var classes: Int { vocabulary }
  var device: Device { .cpu }
  var batchSize: Int { count }
  var stepsPerEpoch: Int { 1 }

  func batch(_ range: Range<Int>) throws -> ExampleBatch {
    let tokens = try Tensor(sequences[range].flatMap { $0 }).view([range.count, -1])
    let context = try tokens.size(1) - 1
    return try ExampleBatch(
      inputs: tokens.narrow(1, from: 0, count: context), labels: tokens.narrow(1, from: 1, count: context))
  }

  func batch(at step: Int) throws -> ExampleBatch { try batch(0..<count) }
}
