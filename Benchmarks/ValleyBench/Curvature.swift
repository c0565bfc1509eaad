import ArgumentParser
import Checkpoints
import Datasets
import Foundation
import Landscape
import Networks
import Torch
import Training

/// The largest eigenvalues of the Hessian of a ResNet18's loss on pictures that are there, after a few steps of
/// training on them: at the start of training the spectrum has not yet the outliers that it is about.
struct Curvature: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Top eigenvalues of a ResNet18's Hessian; prints a JSON line with values, residuals and products.")

  @Option(help: "Channels of the first stage.") var width = 16
  @Option(help: "Pictures, random with a pattern for each of ten classes.") var images = 1000
  @Option(help: "Eigenvalues.") var top = 8
  @Option(help: "Training steps before, of 100 pictures each.") var steps = 60
  @Option(help: "Threads.") var threads = 0
  @Option(help: "Write weights, pictures and labels for the peer into this file.") var write: String?
  @Option(help: "Take weights, pictures and labels from such a file.") var read: String?

  struct Pictures: ExampleSource {
    let inputs, labels: Tensor
    let classes = 10
    var count: Int { labels.count }
    var device: Device { .cpu }
    func batch(_ range: Range<Int>) throws -> ExampleBatch {
      try ExampleBatch(inputs: inputs[range].contiguous(.channelsLast), labels: labels[range])
    }
  }

  struct Line: Encodable {
    var job = "curvature"
    var seconds: [Double]
    var eigenvalues: [Double]
    /// Each worked out by a product of its own, not timed
    var residuals: [Double]
    var products: Int
    var converged: Bool
  }

  func run() throws {
    if threads > 0 { Libtorch.setThreads(threads) }
    Libtorch.keepFreedMemory()
    let network = try ResNet(blocks: [2, 2, 2, 2], width: width, classes: 10, generator: Generator(seed: 0))
    let pictures: Pictures
    if let read {
      var tensors = try Safetensors.read(read).weights
      guard let inputs = tensors["images"], let labels = tensors["labels"] else {
        throw ValidationError("\(read) has no images and labels")
      }
      tensors["images"] = nil
      tensors["labels"] = nil
      try network.load(tensors)
      pictures = Pictures(inputs: inputs, labels: labels)
    } else {
      pictures = try Self.pictures(images)
      try train(network, on: pictures)
    }
    if let write {
      var tensors = try network.weights.mapTensors { _, tensor in try tensor.detach().contiguous() }
      tensors["images"] = try pictures.inputs.contiguous()
      tensors["labels"] = pictures.labels
      try Safetensors.write(tensors, to: write)
    }
    try network.move(to: .cpu, format: .channelsLast)
    let start = ContinuousClock.now
    let hessian = try LossHessian(network, on: pictures)
    let found = try Eigenvalues(of: hessian, largest: top)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let verified = try Eigenvalues(of: hessian, largest: top, verifies: true)
    let line = Line(
      seconds: [seconds], eigenvalues: found.largest.map(\.value), residuals: verified.largest.map(\.residual),
      products: found.products, converged: found.converged)
    print(String(decoding: try JSONEncoder().encode(line), as: UTF8.self))
  }

  /// Noise over a pattern of each class, so that there is something to learn and something left to get wrong.
  private static func pictures(_ count: Int) throws -> Pictures {
    let generator = try Generator(seed: 1)
    let labels = try Tensor.integers(in: 0..<10, shape: [count], generator: generator)
    let patterns = try Tensor.normal([10, 3, 32, 32], generator: generator)
    let noise = try Tensor.normal([count, 3, 32, 32], generator: generator)
    return Pictures(inputs: try patterns.indexSelect(0, labels) * 0.15 + noise, labels: labels)
  }

  private func train(_ network: any Module, on pictures: Pictures) throws {
    try network.move(to: .cpu, format: .channelsLast)
    let parameters = network.parameters().filter(\.parameter.isTrainable).map(\.parameter.value)
    for parameter in parameters { try parameter.setRequiresGradient(true) }
    for step in 0..<steps {
      let start = step * 100 % max(1, pictures.count - 99)
      let batch = try pictures.batch(start..<min(start + 100, pictures.count))
      let loss = try CrossEntropy()(network(batch.inputs, .training), batch.labels)
      let found = try gradients(of: loss, withRespectTo: parameters)
      try withoutGradients {
        for (parameter, gradient) in zip(parameters, found) { try parameter.addInPlace(gradient, scale: -0.05) }
      }
    }
    for parameter in parameters { try parameter.setRequiresGradient(false) }
  }
}
