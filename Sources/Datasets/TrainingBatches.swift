import Torch

/// Random changes to training pictures.
public struct Augmentation: Codable, Hashable, Sendable {
  /// Mirror left and right with probability one half.
  public var flip: Bool
  /// Pad by this many black pixels all round and cut back at a random place; 0: do not.
  public var crop: Int

  public init(flip: Bool = false, crop: Int = 0) {
    self.flip = flip
    self.crop = crop
  }

  public static let none = Augmentation()
}

/// The training batches of every step, shuffled anew each epoch.
///
/// The batch of a step depends only on the dataset, the parameters and the step: the order of an epoch on
/// (`orderSeed`, epoch), the augmentation on (`augmentationSeed`, step). So a resumed run needs no saved generator,
/// and every device gets the same batches.
public struct TrainingBatches: BatchStream {
  public let dataset: DeviceDataset
  public let batchSize: Int
  public let augmentation: Augmentation
  public let orderSeed: Int
  public let augmentationSeed: Int
  public let stepsPerEpoch: Int
  public var device: Device { dataset.device }
  /// The order of the epoch last asked for.
  private var shuffled: (epoch: Int, order: [Int])?

  /// - Parameter keepsLast: whether an epoch ends with an incomplete batch of what is left; otherwise that is dropped.
  /// - Throws: `DatasetError` when a batch would be empty or exceed the dataset, or the crop exceed a picture.
  public init(
    _ dataset: DeviceDataset, batchSize: Int, augmentation: Augmentation = .none, orderSeed: Int,
    augmentationSeed: Int, keepsLast: Bool = false
  ) throws {
    guard (1...max(1, dataset.count)).contains(batchSize) else {
      throw DatasetError(
        "batches of \(batchSize) cannot be taken from \(dataset.count) examples",
        remedy: "choose a batch size from 1 to \(dataset.count)")
    }
    guard (0..<min(dataset.height, dataset.width)).contains(augmentation.crop) else {
      throw DatasetError(
        "a crop of \(augmentation.crop) pixels does not suit pictures of \(dataset.height) × \(dataset.width)",
        remedy: "choose 0 to \(min(dataset.height, dataset.width) - 1)")
    }
    self.dataset = augmentation.flip ? try dataset.withMirrorImages() : dataset
    self.batchSize = batchSize
    self.augmentation = augmentation
    self.orderSeed = orderSeed
    self.augmentationSeed = augmentationSeed
    stepsPerEpoch = keepsLast ? (dataset.count + batchSize - 1) / batchSize : dataset.count / batchSize
  }

  public mutating func batch(at step: Int) throws -> ExampleBatch {
    let examples = examples(at: step)
    let changes = changes(at: step, count: examples.count)
    return try dataset.batch(
      examples: examples, mirrored: augmentation.flip ? changes.mirrored : nil,
      crop: augmentation.crop > 0 ? (augmentation.crop, changes.top, changes.left) : nil)
  }

  /// The indices of a step's examples.
  mutating func examples(at step: Int) -> [Int] {
    let epoch = step / stepsPerEpoch
    if shuffled?.epoch != epoch { shuffled = (epoch, order(of: epoch)) }
    guard let order = shuffled?.order else { return [] }
    let start = (step - epoch * stepsPerEpoch) * batchSize
    return Array(order[start..<min(start + batchSize, order.count)])
  }

  /// A random order of all examples.
  private func order(of epoch: Int) -> [Int] {
    var random = SplitMix64(UInt64(bitPattern: Int64(orderSeed)), 0x0DE2, UInt64(epoch))
    var order = Array(0..<dataset.count)
    order.withUnsafeMutableBufferPointer { order in
      for i in stride(from: order.count - 1, to: 0, by: -1) { order.swapAt(i, random.below(i + 1)) }
    }
    return order
  }

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
