import Foundation
import Support
import Testing
import Torch

@testable import Datasets

@Suite struct PictureBatchesTests {
  struct Fixture: Codable {
    var height: Int
    var width: Int
    var scale: [Double]
    var ratio: [Double]
    var mean: [Double]
    var deviation: [Double]
    var quantiles: [[Double]]
  }

  private func dataset(threads: Int, size: Int = 6) throws -> PictureDataset {
    let glyphs = try Glyphs().dataset(.train, count: 10)
    return try PictureDataset(
      PictureStore(glyphs), size: size, normalisedBy: glyphs.channelStatistics(), threads: threads)
  }

  private func batches(_ augmentation: Augmentation, threads: Int = 2, seed: Int = 3) throws -> PictureBatches {
    try PictureBatches(
      dataset(threads: threads), batchSize: 4, augmentation: augmentation, orderSeed: 1, augmentationSeed: seed)
  }

  @Test func boxesAreDrawnAsTorchvisionDrawsThem() throws {
    let fixtures = try JSONDecoder().decode([Fixture].self, from: Data(ArrayFileTests.bytes("crops.json")))
    #expect(fixtures.count == 4)
    for (index, fixture) in fixtures.enumerated() {
      let crop = Augmentation.ResizedCrop(scale: fixture.scale, ratio: fixture.ratio)
      #expect(crop.problem == nil)
      var random = SplitMix64(UInt64(index))
      let count = 20_000
      let boxes = (0..<count).map { _ in crop.box(height: fixture.height, width: fixture.width, by: &random) }
      #expect(
        boxes.allSatisfy {
          $0.top >= 0 && $0.left >= 0 && $0.height > 0 && $0.width > 0 && $0.top + $0.height <= fixture.height
            && $0.left + $0.width <= fixture.width
        })
      for (number, part) in [\PictureBox.top, \.left, \.height, \.width].enumerated() {
        let values = boxes.map { Double($0[keyPath: part]) }.sorted()
        let mean = values.reduce(0, +) / Double(count)
        // Five standard errors of the difference of the two means.
        let tolerance = 5 * fixture.deviation[number] * (1 / Double(count) + 1.0 / 40_000).squareRoot() + 1e-9
        #expect(abs(mean - fixture.mean[number]) <= tolerance, "\(fixture.height)×\(fixture.width), \(number): \(mean)")
        for (part, expected) in zip([0.1, 0.25, 0.5, 0.75, 0.9], fixture.quantiles[number]) {
          let found = values[Int(part * Double(count - 1))]
          #expect(
            abs(found - expected) <= 1 + 0.05 * fixture.deviation[number] + 0.01 * expected, "\(number) at \(part)")
        }
      }
    }
  }

  @Test func aBatchDependsOnSeedsAndStepOnly() throws {
    let augmentation = Augmentation(flip: true, resizedCrop: .init())
    var straight = try batches(augmentation)
    let walked = try (0..<5).map { try straight.batch(at: $0) }
    var resumed = try batches(augmentation, threads: 1)
    #expect(try resumed.batch(at: 4).inputs.isIdentical(to: walked[4].inputs))
    #expect(try resumed.batch(at: 1).inputs.isIdentical(to: walked[1].inputs))
    var other = try batches(augmentation, seed: 4)
    let changed = try other.batch(at: 0)
    #expect(try changed.labels.isIdentical(to: walked[0].labels) && !changed.inputs.isIdentical(to: walked[0].inputs))
    #expect(walked[0].inputs.shape == [4, 3, 6, 6] && straight.stepsPerEpoch == 2)
    // An epoch visits every example once.
    var all = try PictureBatches(dataset(threads: 1), batchSize: 3, orderSeed: 0, augmentationSeed: 0, keepsLast: true)
    #expect(all.stepsPerEpoch == 4)
    let labels = try (0..<4).flatMap { try all.batch(at: $0).labels.array(Int.self) }
    #expect(labels.sorted() == (0..<10).map { $0 })
  }

  @Test func withoutAugmentationItIsWhatEvaluationSees() throws {
    let source = try dataset(threads: 1)
    let plain = try source.batch(0..<10)
    #expect(try plain.labels.array(Int.self) == source.pictures.labels)
    var batches = try PictureBatches(
      source, batchSize: 10, augmentation: Augmentation(flip: true), orderSeed: 5, augmentationSeed: 5)
    let batch = try batches.batch(at: 0)
    var order = try EpochOrder(count: 10, batchSize: 10, seed: 5, keepsLast: false)
    var mirrored = 0
    for (place, example) in order.examples(at: 0).enumerated() {
      let (got, straight) = (try batch.inputs[place], try plain.inputs[example])
      let isMirrored = batches.change(at: 0, place: place, example: example).isMirrored
      let expected = isMirrored ? try straight.flip([2]) : straight
      #expect(try (got - expected).abs().max().item() < 1e-5)
      mirrored += isMirrored ? 1 : 0
    }
    #expect(mirrored > 0 && mirrored < 10)
  }

  @Test func whatCannotBeDoneIsSaid() throws {
    func failure(_ augmentation: Augmentation) -> String { Scratch.failure { try batches(augmentation).batchSize } }
    #expect(failure(Augmentation(crop: 4)).contains("use `resized_crop`"))
    #expect(failure(Augmentation(resizedCrop: .init(scale: [0, 1]))).contains("scale is [0.0, 1.0]"))
    #expect(failure(Augmentation(resizedCrop: .init(ratio: [2, 1]))).contains("ratio is [2.0, 1.0]"))
    #expect(Augmentation.ResizedCrop(scale: [0.5]).problem != nil)
  }

  @Test func smallPicturesTakeTheWayThatSuitsThem() throws {
    let scratch = try Scratch()
    try scratch.write(ArrayFileTests.bytes("svhn.mat"), to: "train_32x32.mat")
    func examples(size: Int? = nil, _ augmentation: Augmentation = .none) throws -> any PictureSource {
      let pictures = try KnownDataset.svhn.pictures(.train, from: scratch.folder, labels: [9, 0], size: size)
      #expect(pictures.labels == [1, 0, 1] && pictures.classNames == ["9", "0"] && pictures.classCounts == [1, 2])
      return try pictures.examples(
        KnownDataset.svhn.usualView(size: size, normalisation: .clip), normalisedBy: pictures.channelStatistics(),
        augmentation: augmentation)
    }
    #expect(try examples() is DeviceDataset)
    #expect(try examples(size: 16) is DeviceDataset)
    let cropped = try examples(size: 16, Augmentation(resizedCrop: .init()))
    #expect(cropped is PictureDataset && cropped.height == 16)
    let enlarged = try examples(size: 40)
    #expect(try enlarged is PictureDataset && enlarged.batch(0..<3).inputs.shape == [3, 3, 40, 40])
    #expect(KnownDataset.resisc45.usualView(size: nil, normalisation: .imagenet).resize == 256)
    #expect(
      KnownDataset.resisc45.usualView(size: nil, normalisation: .clip)
        == PictureView(size: 224, interpolation: .bicubic))
  }

  @Test func manyClassesKeepTheirLabels() throws {
    let labels = (0..<300).map { $0 }
    let dataset = try ImageDataset(
      name: "many", split: .train, classNames: labels.map(String.init), channels: 1, height: 1, width: 1,
      pixels: [UInt8](repeating: 0, count: 300), labels: labels)
    let statistics = ChannelStatistics(mean: [0], standardDeviation: [1])
    #expect(try DeviceDataset(dataset, normalisedBy: statistics).batch(0..<300).labels.array(Int.self) == labels)
    #expect(
      try PictureDataset(PictureStore(dataset), size: 1, normalisedBy: statistics).batch(299..<300).labels.intItem()
        == 299)
  }
}
