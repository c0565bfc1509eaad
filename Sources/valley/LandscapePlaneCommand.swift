import ArgumentParser
import Checkpoints
import Foundation
import Landscape
import Reports
import Studies
import Torch
import Weights

/// `valley landscape plane`: loss and error on a plane through three networks, or through one along random directions.
struct LandscapePlaneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plane",
    abstract: "Loss and error on the plane through three networks, or around one along random directions.",
    discussion: """
      Through three networks A, B and C: α runs along B − A, β along the part of C − A that is orthogonal to it, so that A is (0, 0),
      B (1, 0), and C at β = 1; the figure's axes are distances in weight space. With --random there is one network and two random
      directions, each filter as long as the network's own (Li et al. 2018); the network is (0, 0).

      With --out every point is kept as soon as it is measured, and the same command goes on where it was stopped.

      EXAMPLES
        valley landscape plane trunk.safetensors a.safetensors b.safetensors --run out/first --out out/plane
        valley landscape plane a.pt b.pt c.pt --model resnet18 --data cifar10 --size 11 --split test --examples 2000 --out out/plane
        valley landscape plane --random a.safetensors --run out/first --size 15 --out out/random
      """)

  @Argument(help: "Weights: three, or with --random one.", completion: .file()) var weights: [String]
  @Flag(help: "Two random directions with filter normalisation around one network.") var random = false
  @Option(help: "The seed of the random directions.") var seed = 0
  @Option(help: "Points a side of the grid.") var size = 21
  @Option(
    parsing: .unconditional, help: "The smallest α and β.  (default: -0.2, with --random -1)")
  var low: Double?
  @Option(parsing: .unconditional, help: "The largest α and β.  (default: 1.2, with --random 1)") var high: Double?
  @OptionGroup var options: LandscapeOptions
  @OptionGroup var figures: FigureOptions

  func validate() throws {
    guard (2...1001).contains(size) else { throw ValidationError("--size is \(size); expected 2 … 1001") }
    let wanted = random ? 1 : 3
    guard weights.count == wanted else {
      throw ValidationError(
        "there are \(weights.count) weights; a plane goes through three, or with --random around one")
    }
    let range = range
    guard range.low.isFinite, range.high.isFinite, range.low < range.high else {
      throw ValidationError("--low \(range.low) is not below --high \(range.high)")
    }
  }

  private var range: (low: Double, high: Double) { (low ?? (random ? -1 : -0.2), high ?? (random ? 1 : 1.2)) }

  struct Summary: Encodable {
    var setting, model, dataset: String
    var batchNorm: String?
    var trainExamples, testExamples: Int?
    /// Names of the weights, A, B, C.
    var weights: [String]
    var seed: Int?
    var plane: PlaneMeasure
  }

  func run() throws {
    let session = try options.session(weights, command: "landscape plane")
    let trainable = Set(session.network.parameters().filter(\.parameter.isTrainable).map(\.name))
    let names = session.points.map(\.name)
    let points = session.points.map(\.weights)
    var measure = PlaneMeasure(
      alphas: PlaneMeasure.coordinates(from: range.low, to: range.high, count: size),
      betas: PlaneMeasure.coordinates(from: range.low, to: range.high, count: size), alphaLength: 1, betaLength: 1,
      marks: [], points: [])
    let terms: (Double, Double) -> [(coefficient: Double, weights: Weights)]
    if random {
      let plane = try RandomPlane(around: points[0], trainable: trainable, seed: seed)
      measure.marks = [.init(name: names[0], alpha: 0, beta: 0)]
      terms = plane.terms
    } else {
      // Checkpoints of several runs may be called alike.
      let told = Set(names).count == names.count ? names : zip(["A", "B", "C"], names).map { "\($0) (\($1))" }
      let plane = try ThreePointPlane(
        points[0], points[1], points[2], names: told, spannedBy: trainable.contains)
      (measure.alphaLength, measure.betaLength) = (plane.width, plane.height)
      measure.marks = zip(labels(names), plane.corners).map { .init(name: $0, alpha: $1.alpha, beta: $1.beta) }
      terms = plane.terms
    }
    let evaluator = try session.evaluator()
    let store = try MeasureStore(figures.folder, setting: session.identity(evaluator))
    let prefix = try
      "plane \(points.map { try $0.fingerprint() }.joined(separator: " "))\(random ? " random \(seed)" : "")"
    let progress = Progress("point", total: size * size)
    let point = try MovingPoint(at: points[0])
    for beta in measure.betas {
      for alpha in measure.alphas {
        measure.points.append(
          try store("\(prefix) \(alpha) \(beta)") {
            try point.move(to: terms(alpha, beta))
            return try evaluator.measure(at: point.weights)
          })
        progress.advance()
      }
    }
    progress.finish()
    let words = session.words(evaluator)
    let summary = Summary(
      setting: words, model: session.configuration.model.name.rawValue,
      dataset: session.configuration.dataset.name.rawValue, batchNorm: evaluator.batchNormWords,
      trainExamples: evaluator.train?.count, testExamples: evaluator.test?.count, weights: names,
      seed: random ? seed : nil, plane: measure)
    try figures.write(figureSet(measure, names, words), summary)
    options.json ? try printJSON(summary) : show(measure, words)
  }

  /// The names where they tell the points apart and are short enough to be drawn; otherwise letters.
  private func labels(_ names: [String]) -> [String] {
    Set(names).count == names.count && names.allSatisfy { $0.count <= 8 } ? names : ["A", "B", "C"]
  }

  // MARK: Output

  private func figureSet(_ plane: PlaneMeasure, _ names: [String], _ words: String) -> FigureSet {
    let points =
      random
      ? "\(names[0]) lies at the origin; the directions are random, filter-normalised, seed \(seed)"
      : zip(["A", "B", "C"], names).map { "\($0): \($1)" }.joined(separator: ", ")
    let figure = PlaneFigure(
      panels: [.init(plane: plane)], setting: "\(points). \(words)",
      axes: random
        ? ("first direction (1: as long as the network's filters)", "second direction")
        : ("distance along B − A", "distance orthogonal to it"))
    return FigureSet(
      name: "plane", title: "A plane of weight space", description: words + ".", findings: findings(plane),
      figures: [figure])
  }

  private func lowest(_ plane: PlaneMeasure, _ value: (PointMeasure) -> Double?) -> (Double, Double, Double)? {
    plane.points.indices.compactMap { index in
      value(plane.points[index]).flatMap {
        $0.isFinite ? ($0, plane.alphas[index % plane.alphas.count], plane.betas[index / plane.alphas.count]) : nil
      }
    }.min { $0.0 < $1.0 }
  }

  private func findings(_ plane: PlaneMeasure) -> [String] {
    [("training loss", { $0.train?.loss }), ("test loss", { $0.test?.loss })].compactMap {
      (name: String, value: @escaping (PointMeasure) -> Double?) in
      lowest(plane, value).map {
        String(format: "The lowest %@ on the grid is %.4f nats, at α = %.2f, β = %.2f.", name, $0.0, $0.1, $0.2)
      }
    }
  }

  private func show(_ plane: PlaneMeasure, _ words: String) {
    if !random {
      print(String(format: "‖B − A‖ = %.4g, C stands %.4g off that line", plane.alphaLength, plane.betaLength))
    }
    for mark in plane.marks where plane.isOutside(mark) {
      print(
        String(format: "%@ lies beyond the grid, at α = %.4g, β = %.4g; ", mark.name, mark.alpha, mark.beta)
          + "--low and --high move its borders")
    }
    for sentence in findings(plane) { print(sentence) }
    print(words)
    if figures.out == nil { print("say --out FOLDER for the figure, or --json for the numbers") }
  }
}
