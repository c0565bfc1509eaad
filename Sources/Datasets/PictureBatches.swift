import Support
import Torch

/// The training batches of every step from pictures that are resized on load: a random resized crop where the augmentation has one,
/// otherwise what evaluation sees, and mirrored half of the time where it says so.
///
/// The order of an epoch depends on (`orderSeed`, epoch), what is done to an example on (`augmentationSeed`, step, its place in the
/// batch), whatever the number of threads.
public struct PictureBatches: BatchStream {
  public let dataset: PictureDataset
  public let augmentation: Augmentation
  public let augmentationSeed: Int
  public var device: Device { dataset.device }
  public var batchSize: Int { order.batchSize }
  public var stepsPerEpoch: Int { order.stepsPerEpoch }
  private var order: EpochOrder

  /// - Parameter keepsLast: whether an epoch ends with an incomplete batch of what is left; otherwise that is dropped.
  /// - Throws: `DatasetError` when a batch would be empty or exceed the dataset, or the augmentation cannot be done.
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
    // Drawn whether it is wanted or not, so that one switch does not change what the other draws.
    let isMirrored = random.next() >> 63 == 1
    let (height, width) = dataset.pictures.size(example)
    return (
      augmentation.flip && isMirrored, augmentation.resizedCrop?.box(height: height, width: width, by: &random)
    )
  }
}
