import ArgumentParser
import Checkpoints
import Datasets
import Landscape
import Networks
import Torch

/// Loss and accuracy at points of weight space, on a line between two networks or on a plane through three, over
/// pictures in memory. BatchNorm statistics are combined like weights.
struct LandscapePath: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Points on a line or plane between networks, evaluated.")

  @OptionGroup var options: RepetitionOptions
  @OptionGroup var network: NetworkOptions
  @Option(help: "Pictures to evaluate on.") var pictures = 10_000
  @Option(help: "Points of the path.") var points = 25
  @Option(help: "A plane of so many points a side instead.") var plane: Int?
  @Option(help: "Pictures at a time; default: as `valley landscape` chooses.") var evaluationBatch: Int?

  /// Random pictures, normalised.
  private struct Noise: ExampleSource {
    let inputs, labels: Tensor
    var count: Int { labels.count }
    var classes: Int { 10 }
    var device: Device { .cpu }
    func batch(_ range: Range<Int>) throws -> ExampleBatch {
      ExampleBatch(inputs: try inputs[range], labels: try labels[range])
    }
  }

  func run() throws {
    let generator = try Generator(seed: 1)
    let size = network.size
    let source = Noise(
      inputs: try Tensor.normal([pictures, 3, size, size], generator: generator).contiguous(.channelsLast),
      labels: try Tensor.integers(in: 0..<10, shape: [pictures], generator: generator))
    let networks = try (0..<3).map { _ in try network.make() }
    for network in networks { try network.move(to: .cpu, format: .channelsLast) }
    // Networks drawn from one seed are one point: the others are moved off it.
    let weights = try networks.enumerated().map { index, network in
      try network.weights.mapTensors { name, tensor in
        index > 0 && tensor.dtype.isFloatingPoint && !name.hasSuffix("running_var")
          ? try tensor + Tensor.normal(tensor.shape, generator: generator) * 0.05 : tensor
      }
    }
    let evaluator = try PointEvaluator(
      networks[0], train: nil, test: PreparedExamples(source, batchSize: evaluationBatch), batchNorm: .off)
    let point = try MovingPoint(at: weights[0])
    try Timing.measure(plane == nil ? "path" : "plane", options) {
      if let plane {
        let through = try ThreePointPlane(weights[0], weights[1], weights[2])
        let grid = PlaneMeasure.coordinates(from: -0.2, to: 1.2, count: plane)
        for beta in grid {
          for alpha in grid {
            try point.move(to: through.terms(alpha: alpha, beta: beta))
            _ = try evaluator.measure(at: point.weights)
          }
        }
      } else {
        _ = try PathMeasure(
          WeightPath(from: weights[0], to: weights[1]), positions: WeightPath.positions(points), by: evaluator)
      }
    }.report()
  }
}
