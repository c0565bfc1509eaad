import ArgumentParser
import Datasets
import Foundation
import Torch
import Training

/// One epoch of training on CIFAR-10 with flip and padded random crop, then evaluation on the test set. Reading the
/// files is not timed; everything after it is, also what augmentation prepares once.
struct Epoch: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "An epoch on CIFAR-10 with augmentation, and evaluation.")

  @OptionGroup var options: RepetitionOptions
  @OptionGroup var network: NetworkOptions

  @Option(help: "Folder with data_batch_1.bin … test_batch.bin.")
  var data: String

  @Option(help: "Use only so many training pictures.")
  var train: Int?

  @Option(help: "Use only so many test pictures.")
  var test: Int?

  func run() throws {
    let folder = URL(fileURLWithPath: data)
    let pictures = try KnownDataset.cifar10.load(.train, from: folder, count: train)
    let statistics = pictures.channelStatistics()
    let test = try DeviceDataset(
      KnownDataset.cifar10.load(.test, from: folder, count: test), normalisedBy: statistics)
    try Timing.measure("epoch", options) {
      let batches = try TrainingBatches(
        DeviceDataset(pictures, normalisedBy: statistics), batchSize: network.batch,
        augmentation: Augmentation(flip: true, crop: 4), orderSeed: 0, augmentationSeed: 0)
      let trainer = try Trainer(network.make(), batches: batches, optimizer: .sgd(), autocast: network.autocast)
      for _ in 0..<batches.stepsPerEpoch { _ = try trainer.advance(learningRate: 0.1) }
      _ = try Evaluation(trainer.network, on: test).accuracy
    }.report()
  }
}
