import Foundation
import Merging
import Studies

/// Performance of merges over the merge coefficient α, for every setting and method, on one test set (the paper's
/// Figures 7 and 17 to 22).
public struct AlphaCurves: Codable, Sendable {
  /// A point of a curve.
  public struct Point: Codable, Sendable {
    /// The merge coefficient.
    public var alpha: Double
    /// Test accuracy in percent, or test loss in nats.
    public var value: Estimate
  }

  /// One setting merged with one method.
  public struct Curve: Codable, Sendable {
    /// The merge method, as recipes call it.
    public var method: String
    /// The swept values, such as "0.1" where only the learning rate is swept.
    public var series: String
    /// In ascending order of α; from the base at α = 0 where the method starts there.
    public var points: [Point]
    /// The mean level of the merged networks' parents.
    public var single: Double
    /// The point of the best level.
    public var best: Point
    /// The width of the range of α around the best point in which the curve stays within the measure's tolerance of
    /// it, found by linear interpolation, run by run.
    public var width: Estimate
    /// Whether that range reaches the end of what was tried in some run, so that it may really be wider.
    public var reachesEnd: Bool
  }

  /// The quantity that the levels are in.
  public var measure: Measure
  /// The entry of `evaluate`; nil is the run's own test set.
  public var evaluation: String?
  /// By method, then in the order of the swept values.
  public var curves: [Curve]
  /// What tells the curves apart, such as "learning rate".
  public var quantity: String

  var methods: [String] { curves.map(\.method).distinct() }
  var series: [String] { curves.map(\.series).distinct() }
  /// "1 pp", "0.02 nats".
  var tolerance: String { "\(short(measure.tolerance)) \(measure.unit)" }

  /// The curves on each test set on which some method was tried with at least three α.
  static func all(_ lines: Lines, _ measure: Measure, _ selection: MergeSelection) -> [AlphaCurves] {
    let merges = lines.configurations.flatMap(\.finished).flatMap(\.rows).filter(Self.isMerge)
    return merges.map(\.evaluation).distinct().sorted { ($0 ?? "") < ($1 ?? "") }.compactMap { evaluation in
      let rows = merges.filter { $0.evaluation == evaluation }
      let methods = rows.map(\.mergeMethod).distinct().filter { method in
        Set(rows.filter { $0.mergeMethod == method }.compactMap(\.alpha)).count > 2
      }
      let curves = methods.flatMap { method in
        lines.ordered(by: lines.axes).compactMap {
          Curve($0, method, series: lines.series($0), measure, selection, on: evaluation)
        }
      }
      guard !curves.isEmpty else { return nil }
      return AlphaCurves(measure: measure, evaluation: evaluation, curves: curves, quantity: lines.axes.title)
    }
  }

  fileprivate static func isMerge(_ row: ResultRow) -> Bool {
    row.kind == .merged && !row.isAcrossTasks && row.alpha != nil
  }

  /// Which setting is flattest, for each method.
  var sentences: [String] {
    methods.compactMap { method in
      let curves = curves.filter { $0.method == method }
      guard let flattest = curves.max(by: { $0.width.value < $1.width.value }),
        let sharpest = curves.min(by: { $0.width.value < $1.width.value }),
        let best = curves.max(by: { measure.sign * $0.best.value.value < measure.sign * $1.best.value.value })
      else { return nil }
      func named(_ curve: Curve) -> String { quantity.isEmpty ? "" : "\(quantity) \(curve.series)" }
      func width(_ curve: Curve) -> String {
        "\(curve.reachesEnd ? "at least " : "")\(String(format: "%.2f", curve.width.value))"
      }
      let place = evaluation.map { " on \($0)" } ?? ""
      var text = "Over \(coefficientName(method)), \(methodTitle(method))\(place): "
      if curves.count > 1 {
        let order = curves.count > 2 ? trend(curves) : nil
        text +=
          "the flattest curve (widest range within \(tolerance) of its best) is that of \(named(flattest)), "
          + "\(width(flattest)) wide; the sharpest is that of \(named(sharpest)), \(width(sharpest)) "
          + "wide\(order ?? ""). "
      } else {
        text += "the curve stays within \(tolerance) of its best over a range \(width(flattest)) wide. "
      }
      let gain = best.best.value.value - best.single
      text +=
        "Best: \(measure.levelText(best.best.value.value)) at \(short(best.best.alpha))"
        + (curves.count > 1 ? " with \(named(best))" : "") + ", \(measure.text(gain)) relative to its singles."
      return text
    }
  }

  /// Whether widths keep growing or shrinking over the settings, which are in the order of their values.
  private func trend(_ curves: [Curve]) -> String? {
    let steps = zip(curves, curves.dropFirst()).map { $1.width.value - $0.width.value }
    if steps.allSatisfy({ $0 > 0 }) { return " (wider with every step of \(quantity))" }
    if steps.allSatisfy({ $0 < 0 }) { return " (narrower with every step of \(quantity))" }
    return nil
  }
}

/// What α is to a method; a factor λ, if the method is not known here.
func alpha(of method: String) -> MergeMethod.Alpha {
  (try? MergeMethod.named(method))?.alpha ?? MergeMethod.Alpha(.scale, of: "lambda", symbol: "λ")
}

/// What a method's coefficient is called: task arithmetic scales every vector by α, TIES scales their sum by λ.
func coefficientName(_ method: String) -> String { alpha(of: method).symbol }

extension AlphaCurves.Curve {
  /// Nil where no run of the configuration has at least three α.
  fileprivate init?(
    _ configuration: Configuration, _ method: String, series: String, _ measure: Measure, _ selection: MergeSelection,
    on evaluation: String?
  ) {
    let runs = configuration.finished.compactMap { run -> [Double: [Estimate.Sample]]? in
      let merges = run.rows.filter { row in
        AlphaCurves.isMerge(row) && row.evaluation == evaluation && row.mergeMethod == method
      }.pairs
      let kept = selection.atCheckpoints(merges)
      var samples: [Double: [Estimate.Sample]] = [:]
      for row in kept {
        guard let alpha = row.alpha, let level = measure.level(row) else { continue }
        samples[alpha, default: []].append(.init(endpoints: row.endpoints, value: level))
      }
      guard samples.count > 2 else { return nil }
      // Interpolation starts at an endpoint, methods on task vectors at the base.
      if alpha(of: method).meaning == .scale, samples[0] == nil {
        let steps = Set(kept.map(\.step))
        let bases = run.rows.filter {
          $0.kind == .base && $0.evaluation == evaluation && steps.contains($0.step)
        }.compactMap { measure.level($0) }
        if !bases.isEmpty { samples[0] = [.init(endpoints: [], value: mean(bases))] }
      }
      return samples
    }
    let points = Set(runs.flatMap(\.keys)).sorted().compactMap { alpha in
      Estimate(samples: runs.compactMap { $0[alpha] }).map { AlphaCurves.Point(alpha: alpha, value: $0) }
    }
    let ranges = runs.map { samples in
      plateau(samples.mapValues { mean($0.map(\.value)) }, sign: measure.sign, tolerance: measure.tolerance)
    }
    guard let best = points.max(by: { measure.sign * $0.value.value < measure.sign * $1.value.value }),
      let width = Estimate(overSeeds: ranges.map(\.width))
    else { return nil }
    let singles = configuration.finished.flatMap { run in
      selection.atCheckpoints(run.rows.filter { $0.evaluation == evaluation && $0.mergeMethod == method })
        .filter(AlphaCurves.isMerge).compactMap { measure.singleLevel($0) }
    }
    self.init(
      method: method, series: series, points: points, single: mean(singles), best: best, width: width,
      reachesEnd: ranges.contains(where: \.reachesEnd))
  }
}

/// The width of the connected range around the best point in which the curve through `values`, linear between them,
/// stays within `tolerance` of its best, and whether an end of the curve cuts it off.
func plateau(_ values: [Double: Double], sign: Double, tolerance: Double) -> (width: Double, reachesEnd: Bool) {
  let curve = values.map { (x: $0.key, y: sign * $0.value) }.sorted { $0.x < $1.x }
  guard let best = curve.indices.max(by: { curve[$0].y < curve[$1].y }) else { return (0, true) }
  let floor = curve[best].y - tolerance
  /// Where the curve falls below the floor along these points, which start at the best; nil where it never does.
  func reach(_ points: [(x: Double, y: Double)]) -> Double? {
    for (a, b) in zip(points, points.dropFirst()) where b.y < floor {
      return a.x + (b.x - a.x) * (a.y - floor) / (a.y - b.y)
    }
    return nil
  }
  let (left, right) = (reach(curve[...best].reversed()), reach(Array(curve[best...])))
  let (first, last) = (curve[0].x, curve[curve.count - 1].x)
  return ((right ?? last) - (left ?? first), left == nil || right == nil)
}
