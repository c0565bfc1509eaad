import ArgumentParser
import Foundation
import Landscape
import Reports
import Weights
import Workbench

/// `valley landscape plane`: loss and error on a plane through three networks, or through one along random directions.
struct LandscapePlaneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plane",
    abstract: "Loss and error on the plane through three networks, or around one along random directions.",
    discussion: """
      Through three networks A, B and C: α runs along B − A, β along the part of C − A orthogonal to it, so that A is \
      (0, 0), B is (1, 0), and C lies at β = 1. The figure's axes are distances in weight space. With --random there \
      is one network, at (0, 0), and two random directions, each filter as long as the network's own (Li et al. 2018).

      With --out, every point is kept as soon as it is measured, and the same command continues where it was stopped.

      EXAMPLES
        valley landscape plane trunk.safetensors a.safetensors b.safetensors --run out/first --out out/plane
        valley landscape plane a.pt b.pt c.pt --model resnet18 --data cifar10 \\
          --size 11 --split test --examples 2000 --out out/plane
        valley landscape plane --random a.safetensors --run out/first --size 15 --out out/random
      """)

  @Argument(help: "Weights: three, or one with --random.", completion: .file()) var weights: [String]
  @Flag(help: "Use two random directions with filter normalisation around one network.") var random = false
  @Option(help: "The seed of the random directions.") var seed = 0
  @Option(help: "Points along each side of the grid.") var size = 21
  @Option(parsing: .unconditional, help: "The smallest α and β.  (default: -0.2, or -1 with --random)")
  var low: Double?
  @Option(parsing: .unconditional, help: "The largest α and β.  (default: 1.2, or 1 with --random)") var high: Double?
  @OptionGroup var options: LandscapeOptions
  @OptionGroup var figures: FigureOptions

  private var survey: PlaneSurvey {
    PlaneSurvey(randomSeed: random ? seed : nil, size: size, low: low, high: high)
  }

  func validate() throws { try validating { try survey.check(weights: weights.count) } }

  func run() throws {
    let report = Reporter()
    let found = try survey.measure(
      options.bench(weights, report), keptIn: figures.folder, report: report.listener)
    try figures.write(figureSet(found), found)
    options.json ? try printJSON(found) : show(found.plane, found.setting)
  }

  // MARK: Output

  private func figureSet(_ found: Measured<PlaneSurvey.Plane>) -> FigureSet {
    let names = found.weights
    let points =
      random
      ? "\(names[0]) lies at the origin; the directions are random, filter-normalised, seed \(seed)"
      : zip(["A", "B", "C"], names).map { "\($0): \($1)" }.joined(separator: ", ")
    let figure = PlaneFigure(
      panels: [.init(plane: found.plane)], setting: "\(points). \(found.setting)",
      axes: random
        ? ("first direction (1: as long as the network's filters)", "second direction")
        : ("distance along B − A", "distance orthogonal to it"))
    return FigureSet(
      name: "plane", title: "A plane of weight space", description: found.setting + ".",
      findings: findings(found.plane), figures: [figure])
  }

  private func findings(_ plane: PlaneMeasure) -> [String] {
    [("training loss", { $0.train?.loss }), ("test loss", { $0.test?.loss })].compactMap {
      (name: String, value: (PointMeasure) -> Double?) in
      let losses = plane.points.enumerated().compactMap { index, point in value(point).map { (index, $0) } }
      guard let (index, loss) = losses.filter({ $0.1.isFinite }).min(by: { $0.1 < $1.1 }) else { return nil }
      return String(
        format: "The lowest %@ on the grid is %.4f nats, at α = %.2f, β = %.2f.", name, loss,
        plane.alphas[index % plane.alphas.count], plane.betas[index / plane.alphas.count])
    }
  }

  private func show(_ plane: PlaneMeasure, _ setting: String) {
    if !random {
      print(
        String(
          format: "‖B − A‖ = %.4g; the distance of C from the line through A and B is %.4g", plane.alphaLength,
          plane.betaLength))
    }
    for mark in plane.marks where plane.isOutside(mark) {
      print(
        String(format: "%@ lies beyond the grid, at α = %.4g, β = %.4g; ", mark.name, mark.alpha, mark.beta)
          + "move its borders with --low and --high")
    }
    for sentence in findings(plane) { print(sentence) }
    print(setting)
    if figures.out == nil { print("For the figure add --out FOLDER, for the numbers --json.") }
  }
}
