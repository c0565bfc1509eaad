import ArgumentParser
import Datasets
import Networks
import Torch
import Training

/// One training step of a network on a batch that is already there.
struct TrainStep: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "A training step of a network, channels_last.")

  @OptionGroup var options: RepetitionOptions
  @OptionGroup var network: NetworkOptions

  @Option(help: "sgd (with momentum) or adamw.")
  var optimizer = Optimizer.Name.sgd

  func run() throws {
    let device = try Device(network.device)
    let made = try network.make()
    try made.move(to: device, format: .channelsLast)
    let trainer = try Trainer(
      made, batches: TrainingBatches.random(count: network.batch, on: device),
      optimizer: optimizer == .sgd ? .sgd() : .adamW(), autocast: network.autocast)
    let generator = try Generator(seed: 0)
    let shape = [network.batch, 3, network.size, network.size]
    let batch = ExampleBatch(
      inputs: try Tensor.normal(shape, generator: generator).to(device).contiguous(.channelsLast),
      labels: try Tensor.integers(in: 0..<10, shape: [network.batch], generator: generator).to(device))
    let learningRate = optimizer == .sgd ? 0.1 : 1e-3
    try Timing.measure("train-step", options) {
      _ = try trainer.advance(on: batch, learningRate: learningRate)
      try device.synchronize()
    }.report()
  }
}

/// One training step of a multi-layer perceptron on a batch that is already there, in float32.
struct MLPStep: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "A training step of a multi-layer perceptron, float32.")

  @OptionGroup var options: RepetitionOptions

  @Option(parsing: .upToNextOption, help: "Inputs, hidden units of each layer, classes.")
  var sizes = [3072, 512, 512, 10]

  @Option(help: "Examples in a batch.")
  var batch = 128

  func validate() throws {
    guard sizes.count >= 2, sizes.allSatisfy({ $0 > 0 }), batch > 0 else {
      throw ValidationError("--sizes takes two or more numbers above 0, --batch one")
    }
  }

  func run() throws {
    let generator = try Generator(seed: 0)
    let network = try MLP(
      inputs: sizes[0], hidden: Array(sizes[1..<(sizes.count - 1)]), classes: sizes[sizes.count - 1],
      generator: generator)
    let trainer = try Trainer(network, batches: TrainingBatches.random(count: batch), optimizer: .sgd())
    let batch = ExampleBatch(
      inputs: try Tensor.normal([batch, sizes[0]], generator: generator),
      labels: try Tensor.integers(in: 0..<sizes[sizes.count - 1], shape: [batch], generator: generator))
    try Timing.measure("mlp-step", options) { _ = try trainer.advance(on: batch, learningRate: 0.01) }.report()
  }
}

extension TrainingBatches {
  /// Batches of all of `count` random pictures as large as CIFAR-10's.
  fileprivate static func random(count: Int, on device: Device = .cpu) throws -> TrainingBatches {
    var random = SystemRandomNumberGenerator()
    let dataset = try ImageDataset(
      name: "random", split: .train, classNames: (0..<10).map(String.init), channels: 3, height: 32, width: 32,
      pixels: (0..<(count * 3072)).map { _ in UInt8.random(in: 0...255, using: &random) },
      labels: (0..<count).map { $0 % 10 })
    return try TrainingBatches(
      DeviceDataset(dataset, normalisedBy: dataset.channelStatistics(), on: device), batchSize: count, orderSeed: 0,
      augmentationSeed: 0)
  }
}

extension Optimizer.Name: ExpressibleByArgument {}
