import Checkpoints
import Foundation
import Landscape
import Weights

/// Loss and accuracy on a grid over a plane of weight space: through three networks, or around one along random
/// directions.
///
/// Through A, B and C: α runs along B − A, β along the part of C − A that is orthogonal to it, so that A is (0, 0) and
/// B (1, 0), and C lies at β = 1. Around one network, which is (0, 0), the two directions are random, each filter as
/// long as the network's own (Li et al. 2018).
///
///     let bench = try Bench(["trunk.safetensors", "a.safetensors", "b.safetensors"], from: source)
///     let found = try PlaneSurvey(size: 11).measure(bench)
///     print(found.plane.points.count)  // 121
public struct PlaneSurvey: Hashable, Sendable {
  /// The seed of random directions around one network; nil for the plane through three.
  public var randomSeed: Int?
  /// Points along each side of the grid; 2 or more.
  public var size: Int
  /// The range of α and of β; nil for −0.2 … 1.2 through three networks and −1 … 1 around one.
  public var low, high: Double?

  /// By default, 21 × 21 points of the plane through three networks.
  public init(randomSeed: Int? = nil, size: Int = 21, low: Double? = nil, high: Double? = nil) {
    (self.randomSeed, self.size, self.low, self.high) = (randomSeed, size, low, high)
  }

  /// A measured plane.
  public struct Plane: Encodable, Sendable {
    /// nil if not measured on
    public var trainExamples, testExamples: Int?
    /// Names of the weights, A, B, C
    public var weights: [String]
    /// Of random directions
    public var seed: Int?
    /// The grid and what was measured on it
    public var plane: PlaneMeasure
  }

  private var range: (low: Double, high: Double) {
    (low ?? (randomSeed == nil ? -0.2 : -1), high ?? (randomSeed == nil ? 1.2 : 1))
  }

  /// Checks the settings, without reading a file.
  /// - Throws: `WorkbenchError` for the first problem.
  public func check(weights count: Int) throws {
    try WorkbenchError.require("size", size, in: 2...1001)
    guard count == (randomSeed == nil ? 3 : 1) else {
      throw WorkbenchError(
        "there are \(count) weights; a plane goes through three, or with a `randomSeed` around one")
    }
    guard range.low.isFinite, range.high.isFinite, range.low < range.high else {
      throw WorkbenchError("`low` is \(range.low), which is not below `high`, \(range.high)")
    }
  }

  /// Measures the plane of a bench's points.
  ///
  /// - Parameter folder: keeps every point, so that an interrupted measurement can continue; nil keeps nothing
  /// - Throws: `WorkbenchError`, `LandscapeError` for three points on a line, `FolderLock.Held` where another process
  ///   measures into the folder, `TorchError`.
  public func measure(
    _ bench: Bench, keptIn folder: URL? = nil, report: @escaping News.Listener = { _ in }
  ) throws -> Measured<Plane> {
    try check(weights: bench.points.count)
    let (names, points) = (bench.points.map(\.name), bench.points.map(\.weights))
    let grid = PlaneMeasure.coordinates(from: range.low, to: range.high, count: size)
    var measure = PlaneMeasure(alphas: grid, betas: grid, alphaLength: 1, betaLength: 1, marks: [], points: [])
    let terms = try span(&measure, bench)
    let evaluator = try bench.evaluator()
    let store = try bench.store(folder, evaluator, report: report)
    let prefix = try
      "plane \(points.map { try $0.fingerprint() }.joined(separator: " "))\(randomSeed.map { " random \($0)" } ?? "")"
    let point = try MovingPoint(at: points[0])
    for beta in grid {
      for alpha in grid {
        measure.points.append(
          try store("\(prefix) \(alpha) \(beta)") {
            try point.move(to: terms(alpha, beta))
            return try evaluator.measure(at: point.weights)
          })
        report(.progress("point", measure.points.count, of: size * size))
      }
    }
    return bench.measured(
      Plane(
        trainExamples: evaluator.train?.count, testExamples: evaluator.test?.count, weights: names, seed: randomSeed,
        plane: measure), bench.words(evaluator), evaluator)
  }

  /// Notes where the networks lie, and gives what they count at (α, β).
  private func span(
    _ measure: inout PlaneMeasure, _ bench: Bench
  ) throws -> (Double, Double) -> [(coefficient: Double, weights: Weights)] {
    let trainable = Set(bench.network.parameters().filter(\.parameter.isTrainable).map(\.name))
    let (names, points) = (bench.points.map(\.name), bench.points.map(\.weights))
    if let randomSeed {
      measure.marks = [.init(name: names[0], alpha: 0, beta: 0)]
      return try RandomPlane(around: points[0], trainable: trainable, seed: randomSeed).terms
    }
    // Checkpoints of several runs may be called alike.
    let areDistinct = Set(names).count == names.count
    let letters = ["A", "B", "C"]
    let plane = try ThreePointPlane(
      points[0], points[1], points[2], names: areDistinct ? names : zip(letters, names).map { "\($0) (\($1))" },
      spannedBy: trainable.contains)
    (measure.alphaLength, measure.betaLength) = (plane.width, plane.height)
    // Names that are too long to be drawn give way to letters.
    let labels = areDistinct && names.allSatisfy { $0.count <= 8 } ? names : letters
    measure.marks = zip(labels, plane.corners).map { .init(name: $0, alpha: $1.alpha, beta: $1.beta) }
    return plane.terms
  }
}
