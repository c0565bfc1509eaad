import Support
import Testing
import Torch

@testable import Datasets

@Suite struct TrainingBatchesTests {
  /// Pictures of 5 × 4 random pixels.
  static func sample(count: Int = 10, channels: Int = 3) throws -> ImageDataset {
    var random = SplitMix64(7)
    return try ImageDataset(
      name: "sample", split: .train, classNames: ["a", "b", "c"], channels: channels, height: 5, width: 4,
      pixels: (0..<(count * channels * 20)).map { _ in UInt8(random.below(256)) },
      labels: (0..<count).map { $0 % 3 })
  }

  static let statistics = ChannelStatistics(mean: [0.4, 0.5, 0.6], standardDeviation: [0.2, 0.25, 0.3])

  static func batches(
    _ augmentation: Augmentation, batchSize: Int = 4, order: Int = 1, augmentationSeed: Int = 2, keepsLast: Bool = false
  ) throws -> TrainingBatches {
    try TrainingBatches(
      DeviceDataset(sample(), normalisedBy: statistics), batchSize: batchSize, augmentation: augmentation,
      orderSeed: order, augmentationSeed: augmentationSeed, keepsLast: keepsLast)
  }

  @Test(arguments: [
    Augmentation.none, Augmentation(flip: true), Augmentation(crop: 2), Augmentation(flip: true, crop: 1),
  ])
  func batchesAreWhatALoopOverExamplesMakes(_ augmentation: Augmentation) throws {
    let dataset = try Self.sample()
    var batches = try Self.batches(augmentation)
    for step in [0, 1, 2, 7] {
      let batch = try batches.batch(at: step)
      let examples = batches.examples(at: step)
      let changes = batches.changes(at: step, count: examples.count)
      var expected: [Float] = []
      for (k, example) in examples.enumerated() {
        for c in 0..<3 {
          for y in 0..<5 {
            for x in 0..<4 {
              let sy = y + (augmentation.crop > 0 ? changes.top[k] - augmentation.crop : 0)
              let sx = x + (augmentation.crop > 0 ? changes.left[k] - augmentation.crop : 0)
              var value = 0.0
              if (0..<5).contains(sy), (0..<4).contains(sx) {
                let column = augmentation.flip && changes.mirrored[k] ? 3 - sx : sx
                value = Double(dataset.pixels[((example * 3 + c) * 5 + sy) * 4 + column]) / 255
              }
              expected.append(Float((value - Self.statistics.mean[c]) / Self.statistics.standardDeviation[c]))
            }
          }
        }
      }
      #expect(batch.inputs.shape == [4, 3, 5, 4])
      #expect(batch.inputs.isContiguous(.channelsLast))
      let got = try batch.inputs.array(Float.self)
      #expect(zip(got, expected).allSatisfy { abs($0 - $1) < 1e-5 })
      #expect(try batch.labels.array(Int.self) == examples.map { dataset.labels[$0] })
      #expect(batch.labels.dtype == .int64)
    }
  }

  @Test func anEpochVisitsEveryExampleOnceInANewOrder() throws {
    var batches = try Self.batches(.none, batchSize: 3, keepsLast: true)
    #expect(batches.stepsPerEpoch == 4)
    let epochs = (0..<3).map { epoch in (0..<4).flatMap { batches.examples(at: epoch * 4 + $0) } }
    for epoch in epochs { #expect(epoch.sorted() == Array(0..<10)) }
    #expect(Set(epochs).count == 3)
    #expect(try batches.batch(at: 3).inputs.shape[0] == 1)
    #expect(try Self.batches(.none, batchSize: 3).stepsPerEpoch == 3)
  }

  @Test func aBatchDependsOnSeedsAndStepOnly() throws {
    let augmentation = Augmentation(flip: true, crop: 2)
    var straight = try Self.batches(augmentation)
    let walked = try (0..<9).map { try straight.batch(at: $0).inputs }
    var resumed = try Self.batches(augmentation)
    #expect(try resumed.batch(at: 8).inputs.isIdentical(to: walked[8]))
    #expect(try resumed.batch(at: 3).inputs.isIdentical(to: walked[3]))
    var otherOrder = try Self.batches(augmentation, order: 5)
    #expect(otherOrder.examples(at: 0) != straight.examples(at: 0))
    var otherAugmentation = try Self.batches(augmentation, augmentationSeed: 5)
    #expect(otherAugmentation.examples(at: 0) == straight.examples(at: 0))
    #expect(try !otherAugmentation.batch(at: 0).inputs.isIdentical(to: walked[0]))
  }

  @Test func drawsAreFair() throws {
    let batches = try Self.batches(Augmentation(flip: true, crop: 1))
    let changes = batches.changes(at: 3, count: 30_000)
    #expect(abs(changes.mirrored.count { $0 } - 15_000) < 500)
    for place in 0..<3 {
      #expect(abs(changes.top.count { $0 == place } - 10_000) < 400)
      #expect(abs(changes.left.count { $0 == place } - 10_000) < 400)
    }
  }

  @Test func evaluationWalksInOrder() throws {
    let dataset = try Self.sample()
    let onDevice = try DeviceDataset(dataset, normalisedBy: Self.statistics)
    #expect(onDevice.ranges(ofAtMost: 4) == [0..<4, 4..<8, 8..<10])
    let labels = try onDevice.ranges(ofAtMost: 4).flatMap { try onDevice.batch($0).labels.array(Int.self) }
    #expect(labels == dataset.labels)
    let last = try onDevice.batch(8..<10).inputs.array(Float.self)
    #expect(abs(last[60] - Float((Double(dataset.pixels[9 * 60]) / 255 - 0.4) / 0.2)) < 1e-5)
  }

  @Test func impossibleBatchesAreRefused() throws {
    for size in [11, 0] {
      #expect(
        Scratch.failure { try Self.batches(.none, batchSize: size) }
          == "batches of \(size) cannot be taken from 10 examples; choose a batch size from 1 to 10")
    }
    for crop in [4, -1] {
      let text = Scratch.failure { try Self.batches(Augmentation(crop: crop)) }
      #expect(text.hasPrefix("a crop of \(crop) pixels does not suit") && text.contains("; choose 0 to 3"), "\(text)")
    }
    let text = Scratch.failure { try DeviceDataset(Self.sample(channels: 1), normalisedBy: Self.statistics) }
    #expect(text.contains("statistics of 3 channels for pictures of 1; take them from the training split"), "\(text)")
  }
}
