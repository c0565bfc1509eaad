import Support
import Torch

/// Training batches by step, from pictures that are resized on load. Each is a random resized crop if the augmentation
/// has one, otherwise what evaluation sees, and is mirrored half of the time if the augmentation says so.
///
/// The order of an epoch depends on (`orderSeed`, epoch), and what is done to an example on (`augmentationSeed`, step,
/// its place in the batch). The number of threads makes no difference.
public struct PictureBatches: BatchStream {
  /// The pictures.
  public let dataset: PictureDataset
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
  ///   - augmentation: what is done to them
  ///   - orderSeed: what the order of an epoch depends on
  ///   - augmentationSeed: what the augmentation depends on
  ///   - keepsLast: whether an epoch ends with a smaller batch of what is left, instead of dropping that
  /// - Throws: `DatasetError` when a batch would be empty or larger than the dataset, or the augmentation has a crop
  ///   for small pictures or impossible numbers.
  public init(
    _ dataset: PictureDataset, batchSize: Int, augmentation: Augmentation = .none, orderSeed: Int,
    augmentationSeed: Int, keepsLast: Bool = false
  ) throws {
    guard augmentation.crop == 0 else {
      throw DatasetError(
        "a crop of \(augmentation.crop) pixels is for small pictures in memory; these are resized on load",
        remedy: "leave out `crop`, or use `resized_crop`")
    }
    if let problem = augmentation.resizedCrop?.problem { throw DatasetError("the resized crop's \(problem)") }
    order = try EpochOrder(count: dataset.count, batchSize: batchSize, seed: orderSeed, keepsLast: keepsLast)
    (self.dataset, self.augmentation, self.augmentationSeed) = (dataset, augmentation, augmentationSeed)
  }

  /// The batch of a step, counted from 0 over all epochs, made by several threads.
  public mutating func batch(at step: Int) throws -> ExampleBatch {
    let examples = order.examples(at: step)
    let this = self
    return try dataset.batch(examples: examples) { place, example in
      let (dataset, change) = (this.dataset, this.change(at: step, place: place, example: example))
      guard let box = change.box else { return dataset.middle(of: example, isMirrored: change.isMirrored) }
      return dataset.part(box, isMirrored: change.isMirrored)
    }
  }

  /// What is done to one example of a step's batch.
  func change(at step: Int, place: Int, example: Int) -> (isMirrored: Bool, box: PictureBox?) {
    var random = SplitMix64(
      UInt64(bitPattern: Int64(augmentationSeed)), 0xA07, UInt64(truncatingIfNeeded: step), UInt64(place))
    // Drawn even if it is not wanted, so that one switch does not change what the other draws.
    let isMirrored = random.next() >> 63 == 1
    let (height, width) = dataset.pictures.size(example)
    return (
      augmentation.flip && isMirrored, augmentation.resizedCrop?.box(height: height, width: width, by: &random)
    )
  }
}
