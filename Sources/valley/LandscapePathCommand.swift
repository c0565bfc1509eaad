import ArgumentParser
import Checkpoints
import Foundation
import Landscape
import Reports
import Studies
import Torch
import Training
import Weights

extension WeightPath.Shape: ExpressibleByArgument {}

/// `valley landscape path`: loss and accuracy along paths between weights.
struct LandscapePathCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "path",
    abstract: "Loss and accuracy along the straight line between two networks, or along a trained curve.",
    discussion: """
      Measures θ(λ) = (1 − λ) A + λ B for λ from 0 to 1. The barrier is the largest height of the loss above the straight line between
      the losses of the ends; "lowest" is the smallest, below 0 in a valley; the area is the integral of the height over λ.

      With --curve the curve is trained between the ends, which stay fixed (Garipov et al. 2018), and measured beside the line.

      Weights are files or folders as `valley model import` takes them. For checkpoints of a run, network and data are known; for others
      they are said as in `valley eval`. With --out a measurement that was stopped goes on where it was.

      EXAMPLES
        valley landscape path out/first/checkpoints/endpoint-832-0.safetensors out/first/checkpoints/endpoint-832-1.safetensors
        valley landscape path a.pt b.pt c.pt --all-pairs --model resnet18 --data cifar10 --out out/paths
        valley landscape path a.safetensors b.safetensors --run out/first --curve bezier --curve-epochs 20 --batchnorm full
        valley landscape path a.safetensors b.safetensors --run out/first --split test --json | jq '.paths[].testBarrier.height'
      """)

  @Argument(help: "Weights, two for each path: A B, or A B C D for two paths.", completion: .file())
  var weights: [String]
  @OptionGroup var options: LandscapeOptions
  @OptionGroup var figures: FigureOptions
  @Option(help: "Points of a path, both ends included.") var points = 25
  @Flag(help: "A path between every two of the weights, instead of between the first and second, third and fourth …")
  var allPairs = false
  @OptionGroup(title: "Curves") var curves: CurveOptions

  func validate() throws {
    guard (2...10_001).contains(points) else {
      throw ValidationError("--points is \(points); expected 2 … 10001")
    }
    guard weights.count >= 2 else { throw ValidationError("a path needs two weights; there is \(weights.count)") }
    guard allPairs || weights.count % 2 == 0 else {
      throw ValidationError(
        "\(weights.count) weights make no pairs; name two for each path, or say --all-pairs for a path between every two"
      )
    }
  }

  struct Path: Encodable {
    var from, to: String
    var measure: PathMeasure
    var trainBarrier, testBarrier, trainErrorBarrier, testErrorBarrier: Barrier?
    var curve: CurveTraining?

    var name: String { "\(from) – \(to)" + (measure.shape == .line ? "" : ", \(measure.shape.rawValue)") }
  }

  struct Summary: Encodable {
    var setting, model, dataset: String
    var batchNorm: String?
    var trainExamples, testExamples: Int?
    var paths: [Path]
  }

  func run() throws {
    let session = try options.session(weights, command: "landscape path")
    let curve = try curves.training(session)
    let evaluator = try session.evaluator()
    let words = session.words(evaluator)
    let store = try MeasureStore(figures.folder, setting: session.identity(evaluator))
    let pairs = pairs
    let progress = Progress("point", total: pairs.count * points * (curve == nil ? 1 : 2))
    let prints = try session.points.map { try $0.weights.fingerprint() }
    var paths: [Path] = []
    for (first, second) in pairs {
      let (a, b) = (session.points[first], session.points[second])
      let line = WeightPath(from: a.weights, to: b.weights)
      let key = "\(prints[first]) \(prints[second])"
      paths.append(
        path(a, b, try measure(line, key, evaluator, store, progress)))
      guard let curve else { continue }
      progress.finish()
      let trained = try curves.train(
        curve, session, from: a.weights, to: b.weights, folder: figures.folder, key: key)
      paths.append(
        path(a, b, try measure(trained, "\(key) \(fingerprint(curve))", evaluator, store, progress), curve))
    }
    progress.finish()
    let summary = Summary(
      setting: words, model: session.configuration.model.name.rawValue,
      dataset: session.configuration.dataset.name.rawValue, batchNorm: evaluator.batchNormWords,
      trainExamples: evaluator.train?.count, testExamples: evaluator.test?.count, paths: paths)
    try figures.write(figureSet(paths, words), summary)
    options.json ? try printJSON(summary) : show(paths, words)
  }

  private var pairs: [(Int, Int)] {
    guard allPairs else { return stride(from: 0, to: weights.count, by: 2).map { ($0, $0 + 1) } }
    return weights.indices.flatMap { first in ((first + 1)..<weights.count).map { (first, $0) } }
  }

  private func path(
    _ a: LandscapeSession.Point, _ b: LandscapeSession.Point, _ measure: PathMeasure, _ curve: CurveTraining? = nil
  ) -> Path {
    Path(
      from: a.name, to: b.name, measure: measure, trainBarrier: measure.trainBarrier, testBarrier: measure.testBarrier,
      trainErrorBarrier: measure.trainErrorBarrier, testErrorBarrier: measure.testErrorBarrier, curve: curve)
  }

  private func measure(
    _ path: WeightPath, _ key: String, _ evaluator: PointEvaluator, _ store: MeasureStore, _ progress: Progress
  ) throws -> PathMeasure {
    let positions = WeightPath.positions(points)
    let point = try MovingPoint(at: path.start)
    let measured = try positions.map { position in
      defer { progress.advance() }
      return try store("path \(key) \(position)") {
        try point.move(to: path.terms(at: position))
        return try evaluator.measure(at: point.weights)
      }
    }
    return PathMeasure(shape: path.shape, positions: positions, points: measured)
  }

  // MARK: Output

  private func figureSet(_ paths: [Path], _ words: String) -> FigureSet {
    let figure = PathFigure(
      curves: paths.map { PathFigure.Curve(series: $0.name, measures: [$0.measure]) }, quantity: "path",
      setting: words)
    return FigureSet(
      name: "path", title: "Paths between networks", description: words + ".",
      findings: paths.flatMap(sentences), figures: [figure])
  }

  private func sentences(_ path: Path) -> [String] {
    [("training", path.trainBarrier), ("test", path.testBarrier)].compactMap { split, barrier in
      barrier.map {
        String(
          format:
            "%@: the %@ loss rises at most %.4f nats above the line between the ends (λ = %.2f), its lowest is %+.4f nats "
            + "(λ = %.2f), the area %+.4f.", path.name, split, $0.height, $0.position, $0.lowest, $0.lowestPosition,
          $0.area)
      }
    }
  }

  private func show(_ paths: [Path], _ words: String) {
    var table = TextTable([
      "path", "split", "loss A", "loss B", "barrier", "at λ", "lowest", "at λ", "area", "error barrier pp",
    ])
    for path in paths {
      let ends = [path.measure.points.first, path.measure.points.last]
      for (split, barrier, error, scores) in [
        ("train", path.trainBarrier, path.trainErrorBarrier, ends.map { $0?.train }),
        ("test", path.testBarrier, path.testErrorBarrier, ends.map { $0?.test }),
      ] {
        guard let barrier else { continue }
        table.rows.append(
          [path.name, split] + scores.map { String(format: "%.4f", $0?.loss ?? .nan) } + [
            String(format: "%.4f", barrier.height), String(format: "%.2f", barrier.position),
            String(format: "%+.4f", barrier.lowest), String(format: "%.2f", barrier.lowestPosition),
            String(format: "%+.4f", barrier.area), error.map { String(format: "%.2f", $0.height * 100) } ?? "",
          ])
      }
    }
    print(table.text)
    print(words)
  }
}
