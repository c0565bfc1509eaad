import ArgumentParser
import Foundation
import Landscape
import Reports
import Weights
import Workbench

/// `valley landscape curvature`: the Hessian of the loss at points of weight space.
struct LandscapeCurvatureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "curvature",
    abstract: "Eigenvalues, trace and density of the loss's Hessian, and the curvature towards another network.",
    discussion: """
      The Hessian is that of the mean cross-entropy over fixed examples, with the network in evaluation mode, with \
      respect to all trained parameters. Eigenvalues come from Lanczos with full reorthogonalisation, which stops when \
      every residual ‖Hv − λv‖ is at most --tolerance times the largest absolute eigenvalue, or when --budget products \
      are spent; the output then says so.

      With --out, an interrupted measurement continues where it stopped. Until a part is done, the folder holds its \
      products, which take 4 bytes per parameter each.

      With --towards B: the curvature along B − W at W, in the middle and at B, and the loss change on merging the two \
      that it predicts, beside the measured one.

      EXAMPLES
        valley landscape curvature out/first/checkpoints/endpoint-832-0.safetensors
        valley landscape curvature a.safetensors b.safetensors --run out/first \\
          --top 8 --bottom 2 --density --out out/curvature
        valley landscape curvature a.safetensors --towards b.safetensors --run out/first --top 0
        valley landscape curvature a.pt --model resnet18 --data cifar10 --examples 5000 --trace 20 --json
      """)

  @Argument(help: "Weights, one or more.", completion: .file()) var weights: [String]
  @OptionGroup var options: LandscapeOptions
  @OptionGroup var figures: FigureOptions
  @Option(help: "How many of the largest eigenvalues to find.") var top = 8
  @Option(help: "How many of the smallest to find, which are negative away from a minimum.") var bottom = 0
  @Option(help: "The largest residual, relative to the largest absolute eigenvalue.") var tolerance = 1e-3
  @Option(help: "The most Hessian–vector products to spend on eigenvalues.") var budget = 200
  @Flag(help: "Check every residual with a product of its own.") var verify = false
  @Option(help: ArgumentHelp("Estimate the trace from N random vectors, one product each.", valueName: "n"))
  var trace = 0
  @Flag(help: "Estimate the density of all eigenvalues, and with it the trace.") var density = false
  @Option(help: "Random vectors for the density.  (default: 4)") var probes: Int?
  @Option(help: "Products for each of them.  (default: 30)") var steps: Int?
  @Option(help: "Another network: measure the curvature on the way to it.", completion: .file()) var towards: String?
  @Option(help: "The seed of the random vectors.") var seed: UInt64 = 0

  private var survey: CurvatureSurvey {
    CurvatureSurvey(
      top: top, bottom: bottom, tolerance: tolerance, budget: budget, verifies: verify, traceProbes: trace,
      density: density ? .init(probes: probes ?? 4, steps: steps ?? 30) : nil, towardsLast: towards != nil, seed: seed)
  }

  private var paths: [String] { weights + [towards].compactMap(\.self) }

  func validate() throws {
    guard density || (probes == nil && steps == nil) else {
      throw ValidationError("--\(probes == nil ? "steps" : "probes") belongs to --density; add that too")
    }
    try validating { try survey.check(weights: paths.count) }
  }

  func run() throws {
    let report = Reporter()
    let found = try survey.measure(
      options.bench(paths, report), keptIn: figures.folder, report: report.listener)
    try write(found)
    options.json ? try printJSON(found) : show(found)
  }

  // MARK: Output

  private func write(_ found: Measured<CurvatureSurvey.Curvatures>) throws {
    let series = found.networks.compactMap { network in
      network.eigenvalues.map { CurvatureFigure.Series(name: network.name, eigenvalues: $0, density: network.density) }
    }
    try figures.write(
      FigureSet(
        name: "curvature", title: "Curvature of the loss", description: found.setting + ".",
        findings: found.networks.flatMap(findings),
        figures: series.isEmpty ? [] : [CurvatureFigure(series: series, setting: found.setting)]), found)
  }

  private func findings(_ network: CurvatureSurvey.Network) -> [String] {
    var sentences: [String] = []
    if let found = network.eigenvalues, let first = found.largest.first {
      sentences.append(
        String(
          format: "%@: the largest eigenvalue is %.4g, found with %d products.", network.name, first.value,
          found.products))
    }
    if let found = network.eigenvalues, !found.converged {
      sentences.append(
        "\(network.name): not converged: after \(found.products) products some residuals are above "
          + "\(found.tolerance) times the largest eigenvalue; allow more with --budget")
    }
    if let trace = network.trace {
      let error = trace.standardError.map { String(format: " ± %.2g (standard error, %d probes)", $0, trace.probes) }
      sentences.append(String(format: "%@: the trace is %.4g", network.name, trace.mean) + (error ?? "") + ".")
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
            "Loss change of their merge (negative is better): %+.5f nats measured, %+.5f predicted by the middle's "
            + "curvature, %+.5f by all three.", found.measuredGain, found.secondOrderGain, found.threePointGain))
    }
    return sentences
  }

  private func show(_ found: Measured<CurvatureSurvey.Curvatures>) {
    for network in found.networks {
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
    for sentence in found.networks.flatMap(findings) { print(sentence) }
    print(found.setting)
  }
}
