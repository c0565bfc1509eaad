import ArgumentParser
import Checkpoints
import Foundation
import Landscape
import Networks
import Torch

/// CKA between every two layers of two ResNet18s over random pictures.
struct Similarity: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cka", abstract: "CKA of all layers of two ResNet18s, all pairs; prints a JSON line.")

  @Option(help: "Channels of the first stage.") var width = 16
  @Option(help: "Pictures.") var images = 10_000
  @Option(help: "Pictures a batch.") var batch = 250
  @Option(help: "Threads.") var threads = 0

  struct Line: Encodable {
    var job = "cka"
    var seconds: [Double]
    var layers: Int
    var mean: Double
  }

  func run() throws {
    if threads > 0 { Libtorch.setThreads(threads) }
    Libtorch.keepFreedMemory()
    let networks = try [0, 1].map { seed in
      let network = try ResNet(
        blocks: [2, 2, 2, 2], width: width, classes: 10, generator: Generator(seed: UInt64(seed)))
      try network.move(to: .cpu, format: .channelsLast)
      return network
    }
    let generator = try Generator(seed: 1)
    let pictures = Curvature.Pictures(
      inputs: try .normal([images, 3, 32, 32], generator: generator),
      labels: try .zeros([images], dtype: .int64))
    let layers = try CKA.layers(of: networks[0], on: pictures)
    let start = ContinuousClock.now
    let found = try CKA(
      of: networks[0], at: networks[0].weights, networks[1].weights, layers: layers, allPairs: true, on: pictures,
      batchSize: batch)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let values = found.diagonal.map(\.value)
    print(
      String(
        decoding: try JSONEncoder().encode(
          Line(seconds: [seconds], layers: layers.count, mean: values.reduce(0, +) / Double(values.count))),
        as: UTF8.self))
  }
}
