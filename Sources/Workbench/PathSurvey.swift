import Checkpoints
import Foundation
import Landscape
import Studies

/// Loss and accuracy along paths between weights: θ(λ) = (1 − λ) A + λ B, and curves that are trained between A and B.
///
///     let bench = try Bench(["a.safetensors", "b.safetensors"], from: source)
///     let found = try PathSurvey(points: 11).measure(bench, keptIn: URL(fileURLWithPath: "out/path"))
///     print(found.paths[0].testBarrier?.height ?? .nan)  // nats
public struct PathSurvey: Hashable, Sendable {
  /// Points on each path, including both ends; 2 or more.
  public var points: Int
  /// Whether to measure a path between every two of the weights, and not only first and second, third and fourth ….
  public var allPairs: Bool
  /// A curve to train between the ends of each path and to measure beside the line; nil for none.
  public var curve: CurveSettings?

  /// By default, lines of 25 points between first and second, third and fourth … of the weights.
  public init(points: Int = 25, allPairs: Bool = false, curve: CurveSettings? = nil) {
    (self.points, self.allPairs, self.curve) = (points, allPairs, curve)
  }

  /// The paths, a line before the curve with the same ends.
  public struct Paths: Encodable, Sendable {
    /// nil if not measured on
    public var trainExamples, testExamples: Int?
    /// In the order of the pairs
    public var paths: [Path]
  }

  /// One path, with how far it rises above the straight line between its ends: in loss (nats) and in error, 1 −
  /// accuracy.
  public struct Path: Encodable, Sendable {
    /// What the bench calls the ends
    public var from, to: String
    /// Loss and accuracy at each point
    public var measure: PathMeasure
    public var trainBarrier, testBarrier, trainErrorBarrier, testErrorBarrier: Barrier?
    /// How a curve was trained; nil for a line
    public var curve: CurveTraining?
  }

  /// Checks the settings, without reading a file.
  /// - Throws: `WorkbenchError` for the first problem.
  public func check(weights count: Int) throws {
    try WorkbenchError.require("points", points, in: 2...10_001)
    guard count >= 2 else { throw WorkbenchError("a path needs two weights; there is \(count)") }
    guard allPairs || count % 2 == 0 else {
      throw WorkbenchError(
        "\(count) weights make no pairs; name two for each path, or ask for a path between every two with `allPairs`")
    }
    try curve?.check()
  }

  /// Measures the paths between a bench's points.
  ///
  /// - Parameter folder: keeps every point and curve, so that an interrupted measurement can continue; nil keeps
  ///   nothing
  /// - Throws: `WorkbenchError`, `FolderLock.Held` where another process measures into the folder, `LandscapeError` for
  ///   a curve whose training diverges, `TorchError`.
  public func measure(
    _ bench: Bench, keptIn folder: URL? = nil, report: @escaping News.Listener = { _ in }
  ) throws -> Measured<Paths> {
    try check(weights: bench.points.count)
    let evaluator = try bench.evaluator()
    let store = try bench.store(folder, evaluator, report: report)
    let prints = try bench.points.map { try $0.weights.fingerprint() }
    let positions = WeightPath.positions(points)
    let (pairs, training) = (pairs(bench.points.count), curve?.training(bench))
    let total = pairs.count * points * (training == nil ? 1 : 2)
    var (paths, done) = ([Path](), 0)
    func measured(_ path: WeightPath, _ key: String) throws -> PathMeasure {
      try path.measured(at: positions, by: evaluator, store, key: { "path \(key) \($0)" }) {
        done += 1
        report(.progress("point", done, of: total))
      }
    }
    for (first, second) in pairs {
      let (a, b) = (bench.points[first], bench.points[second])
      let key = "\(prints[first]) \(prints[second])"
      paths.append(Path(a, b, try measured(WeightPath(from: a.weights, to: b.weights), key)))
      guard let training else { continue }
      let trained = try training.train(bench, from: a.weights, to: b.weights, keptIn: folder, key: key, report: report)
      paths.append(Path(a, b, try measured(trained, "\(key) \(fingerprint(training))"), training))
    }
    return bench.measured(
      Paths(trainExamples: evaluator.train?.count, testExamples: evaluator.test?.count, paths: paths),
      bench.words(evaluator), evaluator)
  }

  private func pairs(_ count: Int) -> [(Int, Int)] {
    guard allPairs else { return stride(from: 0, to: count, by: 2).map { ($0, $0 + 1) } }
    return (0..<count).flatMap { first in ((first + 1)..<count).map { (first, $0) } }
  }
}

extension PathSurvey.Path {
  fileprivate init(_ a: Bench.Point, _ b: Bench.Point, _ measure: PathMeasure, _ curve: CurveTraining? = nil) {
    self.init(
      from: a.name, to: b.name, measure: measure, trainBarrier: measure.trainBarrier, testBarrier: measure.testBarrier,
      trainErrorBarrier: measure.trainErrorBarrier, testErrorBarrier: measure.testErrorBarrier, curve: curve)
  }
}

extension WeightPath {
  /// Measures this path at positions that the store does not hold yet.
  /// - Parameter key: what a position's measure is kept under
  func measured(
    at positions: [Double], by evaluator: PointEvaluator, _ store: MeasureStore, key: (Double) -> String,
    done: () -> Void = {}
  ) throws -> PathMeasure {
    let point = try MovingPoint(at: start)
    let points = try positions.map { position in
      defer { done() }
      return try store(key(position)) {
        try point.move(to: terms(at: position))
        return try evaluator.measure(at: point.weights)
      }
    }
    return PathMeasure(shape: shape, positions: positions, points: points)
  }
}
