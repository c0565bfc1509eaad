import Support

/// Which examples make the batch of a step: each of them once an epoch, in an order that depends only on the seed and
/// the epoch.
struct EpochOrder: Sendable {
  let count: Int
  let batchSize: Int
  let seed: Int
  let stepsPerEpoch: Int
  /// The order of the epoch that was asked for last.
  private var shuffled: (epoch: Int, order: [Int])?

  /// - Parameter keepsLast: whether an epoch ends with a smaller batch of what is left, instead of dropping that
  /// - Throws: `DatasetError` when a batch would be empty or exceed the dataset.
  init(count: Int, batchSize: Int, seed: Int, keepsLast: Bool) throws {
    guard (1...max(1, count)).contains(batchSize) else {
      throw DatasetError(
        "batches of \(batchSize) cannot be taken from \(count) examples",
        remedy: "choose a batch size from 1 to \(count)")
    }
    (self.count, self.batchSize, self.seed) = (count, batchSize, seed)
    stepsPerEpoch = keepsLast ? (count + batchSize - 1) / batchSize : count / batchSize
  }

  mutating func examples(at step: Int) -> [Int] {
    let epoch = step / stepsPerEpoch
    if shuffled?.epoch != epoch {
      var random = SplitMix64(UInt64(bitPattern: Int64(seed)), 0x0DE2, UInt64(epoch))
      shuffled = (epoch, Datasets.shuffled(count, by: &random))
    }
    guard let order = shuffled?.order else { return [] }
    let start = (step - epoch * stepsPerEpoch) * batchSize
    return Array(order[start..<min(start + batchSize, order.count)])
  }
}
