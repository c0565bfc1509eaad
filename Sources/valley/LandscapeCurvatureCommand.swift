import ArgumentParser
import Checkpoints
import Foundation
import Landscape
import Reports
import Torch
import Weights

/// `valley landscape curvature`: the Hessian of the loss at points of weight space.
struct LandscapeCurvatureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "curvature",
    abstract: "Eigenvalues, trace and density of the Hessian of the loss, and the curvature towards another network.",
    discussion: """
      The Hessian is that of the mean cross-entropy over fixed examples, with the network in evaluation mode, with respect to all trained
      parameters. Eigenvalues come from Lanczos with full reorthogonalisation, which stops when every residual ‖Hv − λv‖ is at most
      --tolerance times the largest absolute eigenvalue, or when --budget products are spent: then the table says so.

      With --out a measurement that was stopped goes on where it was. Until a part is done the folder keeps its products, 4 bytes a
      parameter each.

      --towards B: the curvature along B − W at W, in the middle and at B, and the loss gain of merging the two that it predicts, beside
      the measured one.

      EXAMPLES
        valley landscape curvature out/first/checkpoints/endpoint-832-0.safetensors
        valley landscape curvature a.safetensors b.safetensors --run out/first --top 8 --bottom 2 --density --out out/curvature
        valley landscape curvature a.safetensors --towards b.safetensors --run out/first --top 0
        valley landscape curvature a.pt --model resnet18 --data cifar10 --examples 5000 --trace 20 --json
      """)

  @Argument(help: "Weights, one or more.", completion: .file()) var weights: [String]
  @OptionGroup var options: LandscapeOptions
  @OptionGroup var figures: FigureOptions
  @Option(help: "How many of the largest eigenvalues.") var top = 8
  @Option(help: "How many of the smallest, which are negative away from a minimum.") var bottom = 0
  @Option(help: "The largest residual, over the largest absolute eigenvalue.") var tolerance = 1e-3
  @Option(help: "Products of the Hessian with a vector to spend on eigenvalues at most.") var budget = 200
  @Flag(help: "Work every residual out by a product of its own.") var verify = false
  @Option(help: ArgumentHelp("Estimate the trace from N random vectors, a product each.", valueName: "n")) var trace = 0
  @Flag(help: "Estimate the density of all eigenvalues, and the trace with it.") var density = false
  @Option(help: "Random vectors for the density.  (default: 4)") var probes: Int?
  @Option(help: "Products for each of them.  (default: 30)") var steps: Int?
  @Option(help: "Another network: the curvature on the way to it.", completion: .file()) var towards: String?
  @Option(help: "The seed of the random vectors.") var seed: UInt64 = 0

  func validate() throws {
    guard !weights.isEmpty else { throw ValidationError("name the weights") }
    for (name, value, low) in [
      ("top", top, 0), ("bottom", bottom, 0), ("trace", trace, 0), ("probes", probes ?? 4, 1),
      ("steps", steps ?? 30, 1),
      ("budget", budget, 1),
    ] where !(low...100_000).contains(value) {
      throw ValidationError("--\(name) is \(value); expected \(low) … 100000")
    }
    guard density || (probes == nil && steps == nil) else {
      throw ValidationError("--\(probes == nil ? "steps" : "probes") is of the density; say --density too")
    }
    guard tolerance > 0, tolerance.isFinite else {
      throw ValidationError("--tolerance is \(tolerance); expected a number above 0")
    }
    guard budget >= top + bottom else {
      throw ValidationError("--budget \(budget) is too few for \(top + bottom) eigenvalues")
    }
    guard top + bottom + trace > 0 || density || towards != nil else {
      throw ValidationError("there is nothing to measure; say --top, --bottom, --trace, --density or --towards")
    }
  }

  struct Network: Encodable {
    var name: String
    var loss: Double
    var gradientNorm: Double
    var eigenvalues: Eigenvalues?
    var trace: TraceEstimate?
    var density: SpectralDensity?
    var towards: Direction?
  }

  struct Direction: Encodable {
    var name: String
    var curvature: DirectionCurvature
  }

  struct Summary: Encodable {
    var setting, model, dataset: String
    var batchNorm: String?
    var examples, parameters: Int
    var networks: [Network]
  }

  func run() throws {
    let session = try options.session(weights + (towards.map { [$0] } ?? []), command: "landscape curvature")
    let (examples, exampleWords) = try session.examples(usual: .train, limit: 1000)
    let placer = try session.placer()
    let words = session.words(exampleWords, placer)
    let names = try LossHessian.names(session.network)
    let store = try MeasureStore(figures.folder, setting: session.identity(placer))
    func makeHessian(_ point: Weights) throws -> LossHessian {
      try placer.move(to: point)
      return try LossHessian(session.network, on: examples)
    }
    var parameters = 0
    if towards != nil, let other = session.points.last {
      for point in session.points.prefix(weights.count) where try point.weights.isIdentical(to: other.weights) {
        throw CommandError("--towards \(other.name): is the same point as \(point.name); there is no direction")
      }
    }
    let networks = try session.points.prefix(weights.count).map { point -> Network in
      let hessian = try makeHessian(point.weights)
      let key = try "curvature \(point.weights.fingerprint()) \(seed)"
      parameters = hessian.dimension
      let (loss, gradient) = try hessian.gradient()
      var network = Network(
        name: point.name, loss: loss, gradientNorm: try gradient.norm(dtype: .float64).item())
      if top + bottom > 0 {
        let progress = Progress("product", total: budget, every: 10)
        network.eigenvalues = try store(
          "\(key) eigenvalues \(top) \(bottom) \(tolerance) \(budget) \(verify)", of: hessian
        ) { hessian in
          try Eigenvalues(
            of: hessian, largest: top, smallest: bottom, tolerance: tolerance, budget: budget, seed: seed,
            verifies: verify
          ) { progress.update($0, note: $1.isFinite ? String(format: "largest residual %.1e", $1) : "") }
        }
        progress.finish()
      }
      if density {
        let (probes, steps) = (probes ?? 4, steps ?? 30)
        let progress = Progress("density", total: probes * steps, every: 10)
        let found = try store("\(key) density \(probes) \(steps)", of: hessian) { hessian in
          try SpectralDensity(of: hessian, probes: probes, steps: steps, seed: seed &+ 1) { progress.update($0) }
        }
        progress.finish()
        network.density = found
        network.trace = found.trace
      }
      if trace > 0 {
        let progress = Progress("trace", total: trace, every: 10)
        network.trace = try store("\(key) trace \(trace)", of: hessian) { hessian in
          try TraceEstimate(of: hessian, probes: trace, seed: seed &+ 2) { progress.update($0) }
        }
      }
      if towards != nil, let other = session.points.last {
        let middle = try point.weights.interpolated(to: other.weights, at: 0.5)
        let direction = try other.weights.vector(names) - point.weights.vector(names)
        let curvature = try DirectionCurvature(
          [hessian, makeHessian(middle), makeHessian(other.weights)], along: direction)
        network.towards = Direction(name: other.name, curvature: curvature)
      }
      return network
    }
    let summary = Summary(
      setting: words, model: session.configuration.model.name.rawValue,
      dataset: session.configuration.dataset.name.rawValue, batchNorm: placer.batchNormWords,
      examples: examples.count, parameters: parameters, networks: networks)
    try write(summary, words)
    options.json ? try printJSON(summary) : show(summary)
  }

  // MARK: Output

  private func write(_ summary: Summary, _ words: String) throws {
    let series = summary.networks.compactMap { network in
      network.eigenvalues.map { CurvatureFigure.Series(name: network.name, eigenvalues: $0, density: network.density) }
    }
    try figures.write(
      FigureSet(
        name: "curvature", title: "Curvature of the loss", description: words + ".",
        findings: summary.networks.flatMap(findings),
        figures: series.isEmpty ? [] : [CurvatureFigure(series: series, setting: words)]), summary)
  }

  private func findings(_ network: Network) -> [String] {
    var sentences: [String] = []
    if let found = network.eigenvalues, let first = found.largest.first {
      sentences.append(
        String(format: "%@: the largest eigenvalue is %.4g, by %d products.", network.name, first.value, found.products)
      )
    }
    if let found = network.eigenvalues, !found.converged {
      sentences.append(
        "\(network.name): not converged: after \(found.products) products some residuals are above "
          + "\(found.tolerance) of the largest eigenvalue; allow more with --budget")
    }
    if let trace = network.trace {
      sentences.append(
        String(format: "%@: the trace is %.4g", network.name, trace.mean)
          + (trace.standardError.map { String(format: " ± %.2g (standard error, %d probes).", $0, trace.probes) } ?? ".")
      )
    }
    if let direction = network.towards {
      let found = direction.curvature
      sentences.append(
        String(
          format: "%@ to %@, %.4g apart: curvature %.4g, %.4g in the middle, %.4g there.", network.name, direction.name,
          found.distance, found.first, found.midpoint, found.second))
      sentences.append(
        String(
          format:
            "Loss gain of their merge: %+.5f nats measured, %+.5f predicted by the middle's curvature, %+.5f by all three.",
          found.measuredGain, found.secondOrderGain, found.threePointGain))
    }
    return sentences
  }

  private func show(_ summary: Summary) {
    for network in summary.networks {
      print(String(format: "%@: loss %.4f, gradient %.3g", network.name, network.loss, network.gradientNorm))
      guard let found = network.eigenvalues else { continue }
      var table = TextTable(["end", "rank", "eigenvalue", "residual"])
      for (end, pairs) in [("largest", found.largest), ("smallest", found.smallest)] {
        table.rows += pairs.enumerated().map {
          [end, "\($0 + 1)", String(format: "%.5g", $1.value), String(format: "%.1e", $1.residual)]
        }
      }
      print(table.text)
    }
    for sentence in summary.networks.flatMap(findings) { print(sentence) }
    print(summary.setting)
  }
}
