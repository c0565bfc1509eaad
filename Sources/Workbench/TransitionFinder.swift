import Datasets
import Foundation
import Landscape
import Reports
import Studies

/// Finds the branch epoch from which on the middle between endpoints is a valley and not a hill, with the budget held
/// constant (the paper's Figure 24).
///
///     let study = try StudyFile.read(URL(fileURLWithPath: "study.yaml"))
///     let found = try TransitionFinder().find(study, keptIn: URL(fileURLWithPath: "out/transition"))
///     print(found.outcome, found.transitionEpochs)
///
/// The budget T of an endpoint is the schedule's length, warmup, stable phase and decay together, and stays the same
/// whichever epoch T_a the endpoints branch at: they train for T − T_a epochs. The height of a pair is its loss in the
/// middle (λ = 0.5) above the mean of its ends; its mean over pairs and seeds tells hill from valley.
public struct TransitionFinder: Hashable, Sendable {
  /// The branch epochs to consider; nil for one every `resolution` epochs from the end of the warmup on.
  public var branchEpochs: [Double]?
  /// Epochs between the branch points to consider; nil for about a thirty-second of the budget.
  public var resolution: Double?
  /// Whether to train every branch point instead of bisecting.
  public var sweeps: Bool
  /// Points on each path; an odd number, so that one is in the middle.
  public var points: Int
  /// The split whose loss tells hill from valley.
  public var split: Split
  /// Measure on only the first N examples of the split; nil for all.
  public var examples: Int?
  /// Where BatchNorm's statistics come from at each point of a path.
  public var batchNorm: BatchNormPolicy

  /// By default, a bisection with paths of 11 points.
  public init(
    branchEpochs: [Double]? = nil, resolution: Double? = nil, sweeps: Bool = false, points: Int = 11,
    split: Split = .test, examples: Int? = nil, batchNorm: BatchNormPolicy = .subset(2000)
  ) {
    (self.branchEpochs, self.resolution, self.sweeps) = (branchEpochs, resolution, sweeps)
    (self.points, self.split, self.examples, self.batchNorm) = (points, split, examples, batchNorm)
  }

  /// Checks the settings, without reading a file.
  /// - Throws: `WorkbenchError` for the first problem.
  public func check() throws {
    guard points >= 3, points % 2 == 1 else {
      throw WorkbenchError("`points` is \(points); expected an odd number, 3 or more")
    }
    if let resolution { try WorkbenchError.requirePositive("resolution", resolution) }
    try WorkbenchError.require("examples", examples ?? 1, in: 1...Int.max)
  }

  /// Trains, measures and bisects, continuing from what the folder already holds.
  ///
  /// - Parameters:
  ///   - study: its runs differ in nothing but their seeds, and have a trunk
  ///   - folder: holds every run, as those of a study, in `runs/`
  ///   - report: hears the height of each branch point and the progress of training
  /// - Throws: `WorkbenchError` for a study of several settings, settings out of range, or a training that diverges,
  ///   `FolderLock.Held` where another process works in the folder, and what training throws.
  public func find(
    _ study: Study, keptIn folder: URL, report: @escaping News.Listener = { _ in }
  ) throws -> Transition {
    try check()
    let runs = try runs(study)
    let epochs = try candidates(runs[0])
    var work = BranchMeasurement(
      runs, positions: WeightPath.positions(points),
      Measuring(split: split == .train ? .train : .test, examples: examples, batchNorm: batchNorm), folder, report)
    var branches: [Int: Transition.Branch] = [:]
    func branch(_ index: Int) throws -> Transition.Branch {
      if let known = branches[index] { return known }
      let found = try work.measure(epochs[index])
      branches[index] = found
      report(.note("branch epoch \(short(found.epoch)): \(found.words)"))
      return found
    }
    if sweeps { for index in epochs.indices { _ = try branch(index) } }
    let search = try TransitionSearch(count: epochs.count) { try branch($0).height.value > 0 }
    let steps = epochs.map(work.steps)
    return Transition(
      study: study.name, setting: work.setting, budgetEpochs: work.budget, split: split, outcome: search.outcome,
      transitionEpochs: [epochs[search.low], epochs[search.high]],
      trainedSteps: branches.keys.map { steps[$0] }.reduce(0, +), sweepSteps: steps.reduce(0, +),
      branches: branches.sorted { $0.key < $1.key }.map(\.value))
  }

  /// The study's runs, which must be seeds of one setting.
  private func runs(_ study: Study) throws -> [RunConfiguration] {
    guard study.axes.isEmpty, let first = study.runs.first?.configuration else {
      throw WorkbenchError(
        "\(study.name) sweeps \(study.axes.joined(separator: ", ")), and one setting has one transition; "
          + "choose it with " + study.axes.map { "`\($0)`" }.joined(separator: " "))
    }
    guard first.schedule.name != .warmupCosine, first.tasks == nil else {
      throw WorkbenchError(
        "\(study.name) has no trunk whose branch points could be compared; a transition needs a schedule with a stable "
          + "phase"
      )
    }
    return study.runs.map(\.configuration)
  }

  /// The branch epochs considered, rising.
  private func candidates(_ run: RunConfiguration) throws -> [Double] {
    let (first, budget) = (run.warmupInEpochs, run.budgetInEpochs)
    if let branchEpochs {
      let epochs = branchEpochs.sorted()
      guard epochs.count > 1, epochs.allSatisfy({ $0 >= first && $0 < budget }), Set(epochs).count == epochs.count
      else {
        throw WorkbenchError(
          "`branchEpochs` is \(branchEpochs.map(short).joined(separator: ",")); expected two or more different epochs "
            + "from \(short(first)) (the warmup's end) to below \(short(budget)) (the budget)")
      }
      return epochs
    }
    let step = resolution ?? max(1, (budget / 32).rounded())
    let count = ((budget - first) / step).rounded(.up)
    guard count <= 100_000 else {
      throw WorkbenchError("`resolution` is \(short(step)), which gives \(count) branch points; choose a larger one")
    }
    let epochs = (0..<max(0, Int(count))).map { first + Double($0) * step }.filter { $0 < budget }
    guard epochs.count > 1 else {
      throw WorkbenchError(
        "a budget of \(short(budget)) epochs has no two branch points \(short(step)) epochs apart; choose a smaller "
          + "`resolution`"
      )
    }
    return epochs
  }
}
