import Alignment
import Checkpoints
import Landscape
import Networks
import Torch
import Weights

/// Permutes the units of networks so that they can be merged, and measures what lies between them before and after.
///
///     let aligned = try CheckpointAlignment().align(["a.safetensors", "b.safetensors"], from: source)
///     try aligned.write(to: [nil, "b-aligned.safetensors"])
///     print(aligned.summary.networks[0].moved, aligned.summary.paths.map(\.testBarrier))
public struct CheckpointAlignment: Hashable, Sendable {
  /// How units are matched.
  public var method: AlignmentMethod
  /// What networks are aligned to.
  public var reference: AlignmentReference
  /// The seed of the order in which groups of units are matched.
  public var seed: UInt64
  /// How often weight matching starts, of which the best result is kept, and its most sweeps over all groups.
  public var starts, sweeps: Int
  /// Batches of straight-through matching.
  public var steps: Int
  /// Examples of activation matching and REPAIR.
  public var matchExamples: Int
  /// How units of merged networks without BatchNorm are rescaled; nil: not at all.
  public var repair: Repair.Form?
  /// Points of a path that is measured before and after, ends included.
  public var points: Int

  /// By default, weight matching to the first network.
  public init(
    method: AlignmentMethod = .weight, reference: AlignmentReference = .first, seed: UInt64 = 0, starts: Int = 1,
    sweeps: Int = 100, steps: Int = 100, matchExamples: Int = 1000, repair: Repair.Form? = nil, points: Int = 3
  ) {
    (self.method, self.reference, self.seed) = (method, reference, seed)
    (self.starts, self.sweeps, self.steps) = (starts, sweeps, steps)
    (self.matchExamples, self.repair, self.points) = (matchExamples, repair, points)
  }

  /// Checks the settings, without reading a file.
  /// - Throws: `WorkbenchError` for the first problem.
  public func check(networks count: Int) throws {
    guard count >= 2 else {
      throw WorkbenchError("aligning takes two networks or more: the reference, and what is aligned to it")
    }
    guard reference == .first || method == .weight else {
      throw WorkbenchError("`reference` mean goes with `method` weight, not \(method.rawValue)")
    }
    for (name, value, least) in [
      ("starts", starts, 1), ("sweeps", sweeps, 1), ("steps", steps, 1), ("matchExamples", matchExamples, 2),
      ("points", points, 3),
    ] {
      try WorkbenchError.require(name, value, in: least...Int.max)
    }
  }

  /// Aligns the networks of files.
  ///
  /// - Parameters:
  ///   - paths: two or more, the reference first; files or folders as `Checkpoint.read` takes them
  ///   - source: which network and data; without data nothing is measured, and without a network either, the
  ///     network is recognised by the first file's tensor names
  ///   - measuring: what paths between the networks are measured on
  ///   - report: hears what was renamed or replaced, and the progress of matching
  /// - Throws: `WorkbenchError`, `AlignmentError`, and what reading files and data throws.
  public func align(
    _ paths: [String], from source: RunSource = RunSource(), measuring: Measuring = Measuring(),
    report: News.Listener = { _ in }
  ) throws -> AlignedCheckpoints {
    try check(networks: paths.count)
    let inputs = try AlignmentInputs(paths, source, measuring, report)
    for (isAsked, what) in [
      (method != .weight, "`method` \(method.rawValue)"), (repair != nil, "`repair`"),
    ] where isAsked && inputs.bench == nil {
      throw WorkbenchError("\(what) needs data; name it with `dataset.name`, with a `study`, or with a `run`")
    }
    if repair != nil, inputs.network.hasBatchNorm {
      report(.note("`repair`: this network has BatchNorm, whose statistics are re-estimated instead"))
    }
    let symmetry = try Symmetry(of: inputs.network)
    guard !symmetry.groups.isEmpty else {
      throw WorkbenchError("this network has no hidden units, so there is nothing that could change places")
    }
    var summary = AlignmentSummary(
      method: method, reference: reference == .mean ? "mean" : paths[0], seed: seed, groups: symmetry.groups.count,
      units: symmetry.groups.reduce(0) { $0 + $1.count })
    var aligned = inputs.points
    if reference == .mean {
      try alignToMean(&aligned, paths, symmetry, &summary, report)
    } else {
      for index in aligned.indices.dropFirst() {
        let (permutations, row) = try match(index, inputs, symmetry, report)
        aligned[index] = try symmetry.apply(permutations, to: inputs.points[index])
        summary.networks.append(row)
      }
    }
    let repair = repair.flatMap { form in
      inputs.network.hasBatchNorm ? nil : Repair(form: form, examples: matchExamples)
    }
    let between = try inputs.bench.map { try AlignmentPaths($0, symmetry, repair: repair, points: points) }
    if let between {
      summary.paths = try aligned.indices.dropFirst().flatMap { try between.rows(aligned, $0) }
      summary.measured = between.words
    }
    return AlignedCheckpoints(summary: summary, weights: aligned, inputs: inputs, paths: between)
  }

  private var matching: WeightMatching { WeightMatching(seed: seed, starts: starts, maximumSweeps: sweeps) }

  private func match(
    _ index: Int, _ inputs: AlignmentInputs, _ symmetry: Symmetry, _ report: News.Listener
  ) throws -> ([Permutation], AlignmentSummary.Network) {
    let (a, b) = (inputs.points[0], inputs.points[index])
    var row = AlignmentSummary.Network(file: inputs.files[index].path)
    let permutations: [Permutation]
    switch (method, inputs.bench) {
    case (.activation, let bench?):
      let result = try ActivationMatching(examples: matchExamples)
        .match(b, to: a, symmetry, of: inputs.network, on: bench.run.train) {
          report(.progress("example", $0, of: matchExamples))
        }
      permutations = result.permutations
      (row.correlation, row.formerCorrelation) = (result.correlation, result.former)
    case (.straightThrough, let bench?):
      let result = try StraightThroughMatching(seed: seed, steps: steps)
        .match(b, to: a, symmetry, of: inputs.network, on: bench.run.batches()) { step, loss in
          report(.progress("step", step, of: steps, detail: String(format: "loss %.4f", loss)))
        }
      permutations = result.permutations
      (row.loss, row.formerLoss) = (result.loss, result.former)
    default:
      let result = try matching.match(b, to: a, symmetry) { start, sweep, objective in
        let stage = starts > 1 ? "start \(start + 1), sweep" : "sweep"
        report(.progress(stage, sweep + 1, of: sweeps, detail: String(format: "objective %.6g", objective)))
      }
      permutations = result.permutations
      (row.sweeps, row.isConverged) = (result.sweeps, result.isConverged)
    }
    try row.compare(symmetry, a, b, permutations)
    return (permutations, row)
  }

  private func alignToMean(
    _ aligned: inout [Weights], _ paths: [String], _ symmetry: Symmetry, _ summary: inout AlignmentSummary,
    _ report: News.Listener
  ) throws {
    let alignment = MeanAlignment(matching: matching)
    let result = try alignment.match(aligned, symmetry) { round, spread in
      let detail = String(format: "%.6g from the mean", spread)
      report(.progress("round", round, of: alignment.maximumRounds, detail: detail))
    }
    for (index, permutations) in result.permutations.enumerated() {
      aligned[index] = try symmetry.apply(permutations, to: aligned[index])
      var row = AlignmentSummary.Network(file: paths[index])
      row.count(permutations)
      summary.networks.append(row)
    }
    (summary.spread, summary.formerSpread, summary.rounds) = (result.spread, result.former, result.rounds)
  }
}
