import Datasets
import Foundation
import Networks
import Torch
import Training

/// What a run's configuration stands for: its data on the device, and how to make its network.
public struct RunSetting {
  public let configuration: RunConfiguration
  public let train: DeviceDataset
  public let test: DeviceDataset
  public let steps: RunSteps
  /// The type of convolutions and matrix products in training; nil: float32.
  public var autocast: DType? { configuration.precision == .bfloat16 ? .bfloat16 : nil }

  /// Reads the data and brings it to the device.
  /// - Throws: `DatasetError`, `TorchError`, `RunSettingError` when the files hold less than the configuration needs.
  public init(_ configuration: RunConfiguration) throws {
    self.configuration = configuration
    let device = try Device(configuration.device)
    let training = try configuration.dataset.load(.train)
    let statistics = training.channelStatistics()
    train = try DeviceDataset(training, normalisedBy: statistics, on: device)
    test = try DeviceDataset(configuration.dataset.load(.test), normalisedBy: statistics, on: device)
    guard training.count >= configuration.batchSize else {
      throw RunSettingError(
        "batch_size \(configuration.batchSize) is larger than the training set of \(training.count) examples")
    }
    guard train.classes == test.classes else {
      throw RunSettingError("the training set has \(train.classes) classes and the test set \(test.classes)")
    }
    steps = configuration.steps(trainingExamples: training.count)
  }

  /// The network of this run with freshly drawn weights, on the device.
  public func makeNetwork() throws -> any Module {
    // The CPU's generator draws the weights, so that every device starts from the same ones.
    let generator = try Generator(seed: UInt64(bitPattern: Int64(configuration.seeds.initialisation)))
    let network = try configuration.model.makeNetwork(
      channels: train.channels, height: train.height, width: train.width, classes: train.classes,
      generator: generator)
    try network.move(to: train.device, format: .channelsLast)
    return network
  }

  /// The training batches of the trunk (nil), or of an endpoint, each with orders and augmentations of its own.
  public func batches(endpoint: (branch: Int, index: Int)? = nil) throws -> TrainingBatches {
    let seeds = configuration.seeds
    return try TrainingBatches(
      train, batchSize: configuration.batchSize, augmentation: configuration.augmentation,
      orderSeed: derived(seeds.order, endpoint), augmentationSeed: derived(seeds.augmentation, endpoint))
  }

  /// A trainer of the trunk (nil) or of an endpoint, from `state` on.
  public func trainer(
    of network: any Module, endpoint: (branch: Int, index: Int)? = nil, state: TrainingState? = nil
  ) throws -> Trainer {
    try Trainer(
      network, batches: batches(endpoint: endpoint), optimizer: configuration.optimizer,
      loss: configuration.loss ?? CrossEntropy(), trained: configuration.trained,
      seed: derived(configuration.seeds.augmentation, endpoint), autocast: autocast, state: state)
  }

  private func derived(_ seed: Int, _ endpoint: (branch: Int, index: Int)?) -> Int {
    guard let endpoint else { return seed }
    var random = SplitMix64(
      UInt64(bitPattern: Int64(seed)), 0xE4D, UInt64(endpoint.branch), UInt64(endpoint.index))
    return Int(bitPattern: UInt(truncatingIfNeeded: random.next()))
  }

  /// The batches that gradient noise is measured on: of the size and augmentation of training, from streams of their own.
  public func noiseBatches() throws -> TrainingBatches { try batches(endpoint: (branch: 0, index: 0xFFFF)) }
}

/// Data that does not suit a run.
public struct RunSettingError: Error, CustomStringConvertible, Sendable {
  public let description: String
  init(_ description: String) { self.description = description }
}

extension RunConfiguration.Model {
  /// The network with freshly drawn weights, for pictures of this shape.
  public func makeNetwork(
    channels: Int, height: Int, width pictureWidth: Int, classes: Int, generator: Generator
  ) throws -> any Module {
    let width = width ?? name.usualWidth ?? 0
    let stem: ResNet.Stem = stem == .imagenet ? .imagenet : .cifar
    switch name {
    case .mlp:
      return try MLP(
        inputs: channels * height * pictureWidth, hidden: hidden ?? [], classes: classes, generator: generator)
    case .resnet, .resnet18, .resnet20, .resnet34, .resnet50:
      return try ResNet(
        blocks: blocks ?? name.usualBlocks ?? [], block: name == .resnet50 ? .bottleneck : .basic, width: width,
        stem: stem, inputChannels: channels, classes: classes, generator: generator)
    case .vgg11, .vgg11BatchNorm, .vgg16, .vgg16BatchNorm:
      let isShallow = name == .vgg11 || name == .vgg11BatchNorm
      return try VGG(
        isShallow ? .vgg11 : .vgg16, batchNorm: name.hasBatchNorm, width: width, inputChannels: channels,
        classes: classes, generator: generator)
    case .densenet121:
      return try DenseNet.densenet121(
        growth: width / 2, stem: stem, inputChannels: channels, classes: classes, generator: generator)
    }
  }
}
