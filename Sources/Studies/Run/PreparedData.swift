import Datasets
import Foundation
import Networks
import Torch

/// What is learned and what it is judged by, on the device.
public struct PreparedData: Sendable {
  /// nil: the run's own dataset.
  public let name: String?
  /// What training is judged by: the training examples without changes, or of a text a part of them.
  public let train: any ExampleSource
  /// What everything is evaluated on.
  public let test: any ExampleSource
  /// Examples to train on.
  let trainingExamples: Int
  /// What networks are given.
  let input: InputShape
  /// Makes another dataset's test split as networks that learned this task see it.
  private let makeFurther: @Sendable (DatasetChoice, _ name: String) throws -> any ExampleSource
  private let makeStream:
    @Sendable (RunConfiguration, _ orderSeed: Int, _ augmentationSeed: Int) throws -> any BatchStream

  /// Reads a dataset and brings it to the device.
  /// - Throws: `DatasetError`, `TorchError`, `RunDataError` when the files hold less than the configuration needs.
  init(
    _ dataset: DatasetChoice, name: String? = nil, batchSize: Int, augmentation: Augmentation,
    on device: Device
  ) throws {
    if dataset.name.isText {
      self = try Self(text: dataset, name: name, batchSize: batchSize, on: device)
      return
    }
    let training = try dataset.load(.train)
    let prefix = name.map { "\($0): " } ?? ""
    guard training.count >= batchSize else {
      throw RunDataError(
        "\(prefix)batch_size \(batchSize) is larger than the training set of \(training.count) examples")
    }
    let statistics = dataset.normalisation?.statistics ?? training.channelStatistics()
    let view = dataset.view
    let train = try training.examples(view, normalisedBy: statistics, augmentation: augmentation, on: device)
    let test = try dataset.load(.test).examples(view, normalisedBy: statistics, on: device)
    guard train.classes == test.classes else {
      throw RunDataError("\(prefix)the training set has \(train.classes) classes and the test set \(test.classes)")
    }
    self.name = name
    (self.train, self.test) = (train, test)
    trainingExamples = train.count
    let input = InputShape.picture(channels: train.channels, height: train.height, width: train.width)
    self.input = input
    makeFurther = { dataset, name in
      let further = try dataset.load(.test).examples(
        PictureView(size: dataset.pictureSize, resize: view.resize, interpolation: view.interpolation),
        normalisedBy: statistics, on: device)
      let theirs = InputShape.picture(channels: further.channels, height: further.height, width: further.width)
      guard further.classes == train.classes, theirs == input else {
        throw RunDataError(
          "the test set \(name) has \(further.classes) classes and examples of \(theirs), the training set "
            + "\(train.classes) and \(input)")
      }
      return further
    }
    makeStream = { configuration, orderSeed, augmentationSeed in
      try train.batches(
        batchSize: configuration.batchSize, augmentation: configuration.augmentation, orderSeed: orderSeed,
        augmentationSeed: augmentationSeed)
    }
  }

  /// The test split of another dataset, as networks that learned this task see it.
  func further(_ dataset: DatasetChoice, name: String) throws -> any ExampleSource {
    try makeFurther(dataset, name)
  }

  /// The same for a text.
  private init(text dataset: DatasetChoice, name: String?, batchSize: Int, on device: Device) throws {
    let context = dataset.context ?? 256
    let tokenizer = try Tokenizer(named: dataset.tokenizer ?? "bytes")
    @Sendable func read(_ dataset: DatasetChoice) throws -> TextDataset {
      try TextDataset(
        dataset.name, path: dataset.path.map { URL(fileURLWithPath: $0) },
        validation: dataset.validation.map { URL(fileURLWithPath: $0) }, tokenizer: tokenizer)
    }
    let text = try read(dataset)
    let training = try text.sequences(.train, context: context, sequences: dataset.train, on: device)
    guard training.count >= batchSize else {
      throw RunDataError(
        "\(name.map { "\($0): " } ?? "")batch_size \(batchSize) is larger than the text of \(training.count) sequences")
    }
    let test = try text.sequences(.test, context: context, sequences: dataset.test, on: device)
    self.name = name
    self.test = test
    // A text to train on may take days to read; as much as there is to test on says as much.
    train = try text.sequences(.train, context: context, sequences: min(training.count, test.count), on: device)
    trainingExamples = training.count
    input = .tokens(vocabulary: training.classes, context: context)
    makeFurther = { other, name in
      guard other.name.isText, other.tokenizer == dataset.tokenizer, other.context == dataset.context else {
        throw RunDataError("the test set \(name) must be a text with the tokenizer and context of the run's own")
      }
      return try read(other).sequences(.test, context: context, sequences: other.test, on: device)
    }
    makeStream = { configuration, orderSeed, _ in
      try TokenBatches(training, batchSize: configuration.batchSize, seed: orderSeed)
    }
  }

  func batches(_ configuration: RunConfiguration, orderSeed: Int, augmentationSeed: Int) throws -> any BatchStream {
    try makeStream(configuration, orderSeed, augmentationSeed)
  }
}
