import ArgumentParser
import Datasets
import Foundation
import Torch

/// One epoch of training batches from a folder of pictures: random resized crop, flip, normalisation. The network is
/// left out. Listing the folder is timed; so is decoding, unless the pictures are to be in the cache already.
struct PictureEpoch: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "An epoch of batches from a folder of pictures.")

  @OptionGroup var options: RepetitionOptions

  @Option(help: "Folder with train/ and test/, a folder for each class.")
  var data: String

  @Option var batch = 64
  @Option var size = 224
  @Flag(help: "A later epoch: the pictures were decoded before.") var cached = false

  func run() throws {
    let folder = URL(fileURLWithPath: data)
    // A cache of our own, which every first epoch finds empty.
    let cache = folder.deletingLastPathComponent().appendingPathComponent(".cache-\(getpid())")
    setenv("VALLEY_DATA", cache.path, 1)
    defer { try? FileManager.default.removeItem(at: cache) }
    func batches() throws -> any BatchStream {
      let augmentation = Augmentation(flip: true, resizedCrop: .init())
      let view = KnownDataset.imageFolder.usualView(size: size, normalisation: .imagenet)
      let statistics = ChannelStatistics(mean: [0.485, 0.456, 0.406], standardDeviation: [0.229, 0.224, 0.225])
      return try KnownDataset.imageFolder.pictures(.train, from: folder)
        .examples(view, normalisedBy: statistics, augmentation: augmentation)
        .batches(batchSize: batch, augmentation: augmentation, orderSeed: 0, augmentationSeed: 0)
    }
    if cached { _ = try batches() }
    var epoch = 0
    try Timing.measure(cached ? "picture-epoch-cached" : "picture-epoch", options) {
      if !cached { try? FileManager.default.removeItem(at: cache) }
      var stream = try batches()
      for step in 0..<stream.stepsPerEpoch { _ = try stream.batch(at: epoch * stream.stepsPerEpoch + step) }
      epoch += 1
    }.report()
  }
}
