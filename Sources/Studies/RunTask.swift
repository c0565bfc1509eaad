import Datasets
import Networks
import Torch

/// What is learned and what it is judged by, on the device.
public struct RunTask: Sendable {
  /// nil: the run's own dataset.
  public let name: String?
  public let train: any ExampleSource
  public let test: any ExampleSource
  /// What the training pictures were normalised with.
  let statistics: ChannelStatistics
  /// How pictures are resized that are not in memory.
  let view: PictureView
  /// What networks are given.
  let input: InputShape
  private let makeStream:
    @Sendable (RunConfiguration, _ orderSeed: Int, _ augmentationSeed: Int) throws -> any BatchStream

  /// Reads a dataset and brings it to the device.
  /// - Throws: `DatasetError`, `TorchError`, `RunSettingError` when the files hold less than the configuration needs.
  init(
    _ dataset: RunConfiguration.Dataset, name: String? = nil, batchSize: Int, augmentation: Augmentation,
    on device: Device
  ) throws {
    let training = try dataset.load(.train)
    let prefix = name.map { "\($0): " } ?? ""
    guard training.count >= batchSize else {
      throw RunSettingError(
        "\(prefix)batch_size \(batchSize) is larger than the training set of \(training.count) examples")
    }
    statistics = dataset.normalisation?.statistics ?? training.channelStatistics()
    view = dataset.view
    let train = try training.examples(view, normalisedBy: statistics, augmentation: augmentation, on: device)
    let test = try dataset.load(.test).examples(view, normalisedBy: statistics, on: device)
    guard train.classes == test.classes else {
      throw RunSettingError("\(prefix)the training set has \(train.classes) classes and the test set \(test.classes)")
    }
    self.name = name
    (self.train, self.test) = (train, test)
    input = .picture(channels: train.channels, height: train.height, width: train.width)
    makeStream = { configuration, orderSeed, augmentationSeed in
      try train.batches(
        batchSize: configuration.batchSize, augmentation: configuration.augmentation, orderSeed: orderSeed,
        augmentationSeed: augmentationSeed)
    }
  }

  /// The test split of another dataset, as networks that learned this task see it.
  func further(_ dataset: RunConfiguration.Dataset, name: String) throws -> any ExampleSource {
    let further = try dataset.load(.test).examples(
      PictureView(size: dataset.pictureSize, resize: view.resize, interpolation: view.interpolation),
      normalisedBy: statistics, on: train.device)
    let theirs = InputShape.picture(channels: further.channels, height: further.height, width: further.width)
    guard further.classes == train.classes, theirs == input else {
      throw RunSettingError(
        "the test set \(name) has \(further.classes) classes and examples of \(theirs), the training set "
          + "\(train.classes) and \(input)")
    }
    return further
  }

  func batches(_ configuration: RunConfiguration, orderSeed: Int, augmentationSeed: Int) throws -> any BatchStream {
    try makeStream(configuration, orderSeed, augmentationSeed)
  }
}
