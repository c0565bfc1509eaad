import ArgumentParser
import Foundation
import Networks
import Torch
import Training

/// Checks that a device computes what the processor does: every network, shrunk, forwards and backwards, and a few
/// steps of training.
struct DeviceCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare a device with the processor on every network; prints a JSON line each.")

  @Option(help: "cpu, cuda or cuda:N.") var device = "cuda"
  @Option(help: "The largest relative difference of logits and loss that passes.") var tolerance = 1e-3

  struct Line: Encodable {
    var network: String
    /// ‖a − b‖ / ‖b‖ of logits in evaluation and in training mode, of the loss, and of all gradients together.
    var logitsEvaluation, logitsTraining, loss, gradients: Double
    var passes: Bool
  }

  func run() throws {
    let device = try Device(device)
    var failed: [String] = []
    for name in Architecture.Name.allCases {
      var architecture = Architecture(name: name)
      for (option, size) in [Architecture.Option.depth: 2, .width: 24, .heads: 3] where architecture[option] != nil {
        architecture[option] = .integer(size)
      }
      let input: InputShape =
        name.declaration.input == .tokens ? .tokens(vocabulary: 50, context: 16) : .picture(height: 32, width: 32)
      let line = try compare(name.rawValue, architecture, input, with: device)
      print(String(decoding: try JSONEncoder().encode(line), as: UTF8.self))
      if !line.passes { failed.append(name.rawValue) }
    }
    guard failed.isEmpty else {
      throw ValidationError("\(device) differs from the processor on \(failed.joined(separator: ", "))")
    }
  }

  private struct Values { var evaluation, training, loss, gradients: Tensor }

  private func compare(
    _ name: String, _ architecture: Architecture, _ input: InputShape, with device: Device
  ) throws -> Line {
    let generator = try Generator(seed: 1)
    let classes = 10
    let (x, y): (Tensor, Tensor)
    switch input {
    case .picture(let channels, let height, let width):
      x = try .normal([8, channels, height, width], generator: generator)
      y = try .integers(in: 0..<classes, shape: [8], generator: generator)
    case .tokens(let vocabulary, let context):
      x = try .integers(in: 0..<vocabulary, shape: [8, context], generator: generator)
      y = try .integers(in: 0..<vocabulary, shape: [8, context], generator: generator)
    }
    func values(on device: Device) throws -> Values {
      let count = if case .tokens(let vocabulary, _) = input { vocabulary } else { classes }
      let network = try architecture.makeNetwork(input: input, classes: count, generator: Generator(seed: 0))
      try network.move(to: device, format: .channelsLast)
      let evaluation = try withoutGradients { try network(x.to(device), .evaluation) }
      let trained = network.parameters().filter(\.parameter.isTrainable).map(\.parameter.value)
      for tensor in trained { try tensor.setRequiresGradient(true) }
      let logits = try network(x.to(device), .training)
      let loss = try logits.reshape([-1, count]).crossEntropy(y.to(device).flatten())
      try loss.backward()
      let gradients = try trained.compactMap { try $0.gradient()?.contiguous().flatten() }
      return Values(
        evaluation: evaluation, training: try logits.detach(), loss: try loss.detach(),
        gradients: try .concatenate(gradients))
    }
    let (ours, theirs) = (try values(on: device), try values(on: .cpu))
    func difference(_ path: KeyPath<Values, Tensor>) throws -> Double {
      let (a, b) = (try ours[keyPath: path].to(.cpu).to(.float64), try theirs[keyPath: path].to(.float64))
      return try withoutGradients { try (a - b).norm().item() / max(b.norm().item(), 1e-12) }
    }
    var line = Line(
      network: name, logitsEvaluation: try difference(\.evaluation), logitsTraining: try difference(\.training),
      loss: try difference(\.loss), gradients: try difference(\.gradients), passes: false)
    line.passes = max(line.logitsEvaluation, line.logitsTraining, line.loss) <= tolerance && line.gradients <= 0.05
    return line
  }
}
