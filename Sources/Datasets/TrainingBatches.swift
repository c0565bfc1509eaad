import Support
import Torch

/// The training batches of every step, shuffled anew each epoch.
///
/// The batch of a step depends only on the dataset, the parameters and the step: the order of an epoch on
/// (`orderSeed`, epoch), the augmentation on (`augmentationSeed`, step). So a resumed run needs no saved generator,
/// and every device gets the same batches.
public struct TrainingBatches: BatchStream {
  public let dataset: DeviceDataset
  public let augmentation: Augmentation
  public let augmentationSeed: Int
  public var device: Device { dataset.device }
  public var batchSize: Int { order.batchSize }
  public var stepsPerEpoch: Int { order.stepsPerEpoch }
  private var order: EpochOrder

  /// - Parameter keepsLast: whether an epoch ends with an incomplete batch of what is left; otherwise that is dropped.
  /// - Throws: `DatasetError` when a batch would be empty or exceed the dataset, or the crop exceed a picture.
  public init(
    _ dataset: DeviceDataset, batchSize: Int, augmentation: Augmentation = .none, orderSeed: Int,
    augmentationSeed: Int, keepsLast: Bool = false
  ) throws {
    order = try EpochOrder(count: dataset.count, batchSize: batchSize, seed: orderSeed, keepsLast: keepsLast)
    guard augmentation.resizedCrop == nil else {
      throw DatasetError("crops that are resized are made by PictureBatches, not from a dataset on a device")
    }
    guard (0..<min(dataset.height, dataset.width)).contains(augmentation.crop) else {
      throw DatasetError(
        "a crop of \(augmentation.crop) pixels does not suit pictures of \(dataset.height) × \(dataset.width)",
        remedy: "choose 0 to \(min(dataset.height, dataset.width) - 1)")
    }
    self.dataset = augmentation.flip ? try dataset.withMirrorImages() : dataset
    (self.augmentation, self.augmentationSeed) = (augmentation, augmentationSeed)
  }

  public mutating func batch(at step: Int) throws -> ExampleBatch {
    let examples = examples(at: step)
    let changes = changes(at: step, count: examples.count)
    return try dataset.batch(
      examples: examples, mirrored: augmentation.flip ? changes.mirrored : nil,
      crop: augmentation.crop > 0 ? (augmentation.crop, changes.top, changes.left) : nil)
  }

  /// The indices of a step's examples.
  mutating func examples(at step: Int) -> [Int] { order.examples(at: step) }

  /// What is done to each example of a step's batch; all draws are made whatever is switched on, so that one switch
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
