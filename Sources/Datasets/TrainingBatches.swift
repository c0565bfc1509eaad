import Support
import Torch

/// Training batches by step, from small pictures on a device, reshuffled every epoch.
///
/// The batch of a step depends only on the dataset, the settings and the step: the order of an epoch on (`orderSeed`,
/// epoch), the augmentation on (`augmentationSeed`, step). So a resumed run needs no saved generator, and every device
/// gets the same batches.
public struct TrainingBatches: BatchStream {
  /// The pictures, followed by their mirror images if the augmentation mirrors.
  public let dataset: DeviceDataset
  /// What is done to them.
  public let augmentation: Augmentation
  /// What the augmentation depends on, together with the step.
  public let augmentationSeed: Int
  /// The dataset's device, on which batches are.
  public var device: Device { dataset.device }
  /// Examples in a batch; the last of an epoch may have fewer.
  public var batchSize: Int { order.batchSize }
  /// Batches in one pass over the pictures.
  public var stepsPerEpoch: Int { order.stepsPerEpoch }
  private var order: EpochOrder

  /// Batches from a dataset.
  ///
  /// - Parameters:
  ///   - dataset: the pictures
  ///   - batchSize: examples in a batch
  ///   - augmentation: what is done to them: mirroring, padded crops
  ///   - orderSeed: what the order of an epoch depends on
  ///   - augmentationSeed: what the augmentation depends on
  ///   - keepsLast: whether an epoch ends with a smaller batch of what is left, instead of dropping that
  /// - Throws: `DatasetError` when a batch would be empty or larger than the dataset, a crop is larger than a picture,
  ///   or a resized crop is asked for, which ``PictureBatches`` makes.
  public init(
    _ dataset: DeviceDataset, batchSize: Int, augmentation: Augmentation = .none, orderSeed: Int,
    augmentationSeed: Int, keepsLast: Bool = false
  ) throws {
    order = try EpochOrder(count: dataset.count, batchSize: batchSize, seed: orderSeed, keepsLast: keepsLast)
    guard augmentation.resizedCrop == nil else {
      throw DatasetError("resized crops are made by PictureBatches, not from a dataset on a device")
    }
    guard (0..<min(dataset.height, dataset.width)).contains(augmentation.crop) else {
      throw DatasetError(
        "a crop of \(augmentation.crop) pixels does not suit pictures of \(dataset.height) × \(dataset.width)",
        remedy: "choose 0 to \(min(dataset.height, dataset.width) - 1)")
    }
    self.dataset = augmentation.flip ? try dataset.withMirrorImages() : dataset
    (self.augmentation, self.augmentationSeed) = (augmentation, augmentationSeed)
  }

  /// The batch of a step, counted from 0 over all epochs.
  public mutating func batch(at step: Int) throws -> ExampleBatch {
    let examples = examples(at: step)
    let changes = changes(at: step, count: examples.count)
    return try dataset.batch(
      examples: examples, mirrored: augmentation.flip ? changes.mirrored : nil,
      crop: augmentation.crop > 0 ? (augmentation.crop, changes.top, changes.left) : nil)
  }

  /// The indices of a step's examples.
  mutating func examples(at step: Int) -> [Int] { order.examples(at: step) }

  /// What is done to each example of a step's batch. Everything is drawn even if it is switched off, so that one switch
  /// does not change what the others draw.
  func changes(at step: Int, count: Int) -> (mirrored: [Bool], top: [Int], left: [Int]) {
    var random = SplitMix64(UInt64(bitPattern: Int64(augmentationSeed)), 0xA06, UInt64(step))
    let places = 2 * augmentation.crop + 1
    var changes = (mirrored: [Bool](), top: [Int](), left: [Int]())
    for _ in 0..<count {
      changes.mirrored.append(random.next() >> 63 == 1)
      changes.top.append(random.below(places))
      changes.left.append(random.below(places))
    }
    return changes
  }
}
