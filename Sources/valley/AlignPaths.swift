import Alignment
import Checkpoints
import Landscape
import Networks
import Torch
import Training
import Weights

/// What lies between networks before and after they are aligned.
struct AlignPaths {
  private let session: LandscapeSession
  private let symmetry: Symmetry
  private let repair: Repair?
  private let positions: [Double]
  private let plain, reestimating: PointEvaluator

  init(_ session: LandscapeSession, _ symmetry: Symmetry, repair: Repair?, points: Int) throws {
    (self.session, self.symmetry, self.repair) = (session, symmetry, repair)
    positions = (0..<points).map { Double($0) / Double(points - 1) }
    reestimating = try session.evaluator()
    plain = try PointEvaluator(
      session.network, train: reestimating.train, test: reestimating.test, batchNorm: .off)
  }

  private var reestimates: Bool { reestimating.batchNorm != .off }
  var words: String { session.words(reestimating) }

  /// Between the reference and another network: as they were given, aligned, and with BatchNorm's statistics measured anew or repaired.
  func rows(_ inputs: AlignInputs, _ aligned: [Weights], _ index: Int) throws -> [AlignSummary.Path] {
    let name = session.points[index].name
    let (a, b) = (inputs.points[0], inputs.points[index])
    let ends = [try plain.measure(at: a), try plain.measure(at: b)]
    func row(
      _ state: String, _ evaluator: PointEvaluator, _ ends: [PointMeasure], _ point: (Double) throws -> Weights
    ) throws -> AlignSummary.Path {
      let inner = try positions.dropFirst().dropLast().map { try evaluator.measure(at: point($0)) }
      return AlignSummary.Path(
        to: name, state: state, positions: positions, measures: [ends[0]] + inner + [ends[1]])
    }
    var rows = [
      try row("as given", plain, ends) { try a.interpolated(to: b, at: $0) },
      try row("aligned", plain, ends) { try aligned[0].interpolated(to: aligned[index], at: $0) },
    ]
    if reestimates {
      let ends = [try reestimating.measure(at: a), try reestimating.measure(at: b)]
      rows.insert(
        try row("as given, BatchNorm re-estimated", reestimating, ends) { try a.interpolated(to: b, at: $0) }, at: 1)
      rows.append(
        try row("aligned, BatchNorm re-estimated", reestimating, ends) {
          try aligned[0].interpolated(to: aligned[index], at: $0)
        })
    }
    if let repair {
      rows.append(
        try row("aligned, repaired", plain, ends) {
          try repair.point(
            of: aligned[0], aligned[index], at: $0, symmetry, of: session.network, on: session.setting.train)
        })
    }
    return rows
  }

  /// The mean of networks, repaired or with BatchNorm's statistics measured anew as far as that was asked for.
  func merged(_ aligned: [Weights], _ inputs: AlignInputs) throws -> Weights {
    if let repair, aligned.count == 2 {
      return try repair.point(of: aligned[0], aligned[1], symmetry, of: session.network, on: session.setting.train)
    }
    return try reestimating.settled(Weights.mean(aligned))
  }
}
