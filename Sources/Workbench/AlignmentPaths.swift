import Alignment
import Checkpoints
import Landscape
import Networks
import Torch
import Training
import Weights

/// What lies between networks before and after they are aligned.
struct AlignmentPaths {
  private let bench: Bench
  private let symmetry: Symmetry
  private let repair: Repair?
  private let positions: [Double]
  private let plain, reestimating: PointEvaluator

  init(_ bench: Bench, _ symmetry: Symmetry, repair: Repair?, points: Int) throws {
    (self.bench, self.symmetry, self.repair) = (bench, symmetry, repair)
    positions = WeightPath.positions(points)
    reestimating = try bench.evaluator()
    plain = try PointEvaluator(bench.network, train: reestimating.train, test: reestimating.test, batchNorm: .off)
  }

  private var reestimates: Bool { reestimating.batchNorm != .off }
  var words: String { bench.caption(bench.words(reestimating), reestimating) }

  /// Between the reference and another network: as they were given, aligned, and with BatchNorm's statistics
  /// re-estimated or repaired.
  func rows(_ aligned: [Weights], _ index: Int) throws -> [AlignmentSummary.Path] {
    let (a, b) = (bench.points[0].weights, bench.points[index].weights)
    let given = { (position: Double) in try a.interpolated(to: b, at: position) }
    let moved = { (position: Double) in try aligned[0].interpolated(to: aligned[index], at: position) }
    func ends(_ evaluator: PointEvaluator) throws -> [PointMeasure] {
      [try evaluator.measure(at: a), try evaluator.measure(at: b)]
    }
    func row(
      _ state: String, _ evaluator: PointEvaluator, _ ends: [PointMeasure], _ point: (Double) throws -> Weights
    ) throws -> AlignmentSummary.Path {
      let inner = try positions.dropFirst().dropLast().map { try evaluator.measure(at: point($0)) }
      return AlignmentSummary.Path(
        to: bench.points[index].name, state: state, positions: positions, measures: [ends[0]] + inner + [ends[1]])
    }
    let plainEnds = try ends(plain)
    var rows = [try row("as given", plain, plainEnds, given), try row("aligned", plain, plainEnds, moved)]
    if reestimates {
      let ends = try ends(reestimating)
      rows.insert(try row("as given, BatchNorm re-estimated", reestimating, ends, given), at: 1)
      rows.append(try row("aligned, BatchNorm re-estimated", reestimating, ends, moved))
    }
    if let repair {
      rows.append(
        try row("aligned, repaired", plain, plainEnds) {
          try repair.point(
            of: aligned[0], aligned[index], at: $0, symmetry, of: bench.network, on: bench.run.train)
        })
    }
    return rows
  }

  /// The mean of networks: two of them repaired, or with BatchNorm's statistics re-estimated, as far as that was asked
  /// for.
  func mean(_ aligned: [Weights]) throws -> Weights {
    if let repair, aligned.count == 2 {
      return try repair.point(of: aligned[0], aligned[1], symmetry, of: bench.network, on: bench.run.train)
    }
    return try reestimating.settled(Weights.mean(aligned))
  }
}
