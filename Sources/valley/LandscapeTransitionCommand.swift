import ArgumentParser
import Checkpoints
import Foundation
import Landscape
import Reports
import Studies
import Support
import Torch

/// `valley landscape transition`: from which branch point on the middle between endpoints is a valley.
struct LandscapeTransitionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transition",
    abstract: "Find the branch epoch from which on there is a valley between endpoints, not a hill.",
    discussion: """
      Takes the runs of a study that differ in their seeds only. The budget T of an endpoint is the schedule's length, warmup, stable and
      decay together, and stays the same whichever epoch T_a the endpoints branch at: they train for T − T_a epochs. The height of a pair
      is its loss in the middle (λ = 0.5) above the mean of its ends; its mean over pairs and seeds tells hill from valley, the interval
      (95 %, over seeds, or over endpoints where there is one seed) says how sure that is.

      The transition is found by bisection over the branch epochs, which trains far less than all of them; --sweep trains them all. Every
      run is one of `valley train` in the folder's runs/, and the command goes on where it was stopped.

      EXAMPLES
        valley landscape transition studies/demo.yaml --set optimizer.lr=0.02 --set batch_size=64 --out out/transition
        valley landscape transition study.yaml --resolution 5 --split train --out out/transition
        valley landscape transition study.yaml --branch-epochs 1,2,4,8,16 --sweep --out out/curves
      """)

  @OptionGroup var choice: StudyChoice
  @Option(
    name: .long,
    help: ArgumentHelp("A value of the configuration, as study.yaml names it; may be repeated.", valueName: "key=value")
  )
  var set: [String] = []
  @Option(help: "Epochs between the branch points that are considered.") var resolution: Double?
  @Option(
    name: .customLong("branch-epochs"),
    help: ArgumentHelp("The branch points that are considered, with commas between them.", valueName: "epochs"))
  var branchEpochs: String?
  @Flag(help: "Train every branch point instead of bisecting.") var sweep = false
  @Option(help: "Points of a path, an odd number, so that the middle is one.") var points = 11
  @Option(help: "The split whose loss tells hill from valley: train or test.") var split = EvalCommand.Which.test
  @Option(help: ArgumentHelp("Measure on the first N examples of the split only.", valueName: "n")) var examples: Int?
  @Option(
    name: .customLong("batchnorm"),
    help: ArgumentHelp("BatchNorm's statistics at every point, as in `valley landscape path`.", valueName: "off|n|full")
  )
  var batchNorm = BatchNormPolicy.subset(2000)
  @Option(help: "Threads.  (default: processors)") var threads: Int?
  @OptionGroup var figures: FigureOptions
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    guard points >= 3, points % 2 == 1 else {
      throw ValidationError("--points is \(points); expected an odd number, 3 or more")
    }
    guard split != .both else { throw ValidationError("--split both: one split tells hill from valley; train or test") }
    if let resolution, !(resolution > 0 && resolution.isFinite) {
      throw ValidationError("--resolution is \(resolution); expected epochs, more than 0")
    }
    guard figures.out != nil else {
      throw ValidationError("--out FOLDER is needed: runs are kept there, to go on after an interruption")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is \(threads); expected 1 … 1024")
    }
    if let examples, examples < 1 { throw ValidationError("--examples is \(examples); expected 1 or more") }
    for text in set where !text.dropFirst().contains("=") {
      throw ValidationError("--set \(text): expected KEY=VALUE, such as --set optimizer.lr=0.1")
    }
  }

  /// What was found at one branch point.
  struct Branch: Encodable {
    var epoch: Double
    /// Loss in the middle above the mean of the ends, nats, over all pairs and seeds.
    var height: Estimate
    var verdict: String
    var steps: Int
    var paths: [Path]
  }

  struct Path: Encodable {
    var seed: Int
    var endpoints: [Int]
    var measure: PathMeasure
    var height: Double
  }

  struct Summary: Encodable {
    var study, setting: String
    var budgetEpochs: Double
    var split: String
    var outcome: String?
    /// Between the last hill and the first valley; the same twice where there is no crossing.
    var transitionEpochs: [Double]?
    var trainedSteps, sweepSteps: Int
    var branches: [Branch]
  }

  func run() throws {
    guard let folder = figures.folder else { return }
    let runs = try configurations()
    let budget = runs[0].budgetInEpochs
    let epochs = try candidates(runs[0], budget)
    if let threads { Libtorch.setThreads(threads) }
    Libtorch.keepFreedMemory()
    let transition = TransitionRuns(
      folder: folder, runs: runs, budget: budget, positions: WeightPath.positions(points), split: split,
      examples: examples, batchNorm: batchNorm)
    var branches: [Int: Branch] = [:]
    func branch(_ index: Int) throws -> Branch {
      if let known = branches[index] { return known }
      let found = try transition.measure(epochs[index])
      branches[index] = found
      Terminal.writeError("branch epoch \(Self.text(found.epoch)): \(Self.words(found.height)), \(found.verdict)\n")
      return found
    }
    let search: TransitionSearch
    if sweep {
      for index in epochs.indices { _ = try branch(index) }
      // What was trained already answers every question.
      search = try TransitionSearch(count: epochs.count) { try branch($0).height.value > 0 }
    } else {
      search = try TransitionSearch(count: epochs.count) { try branch($0).height.value > 0 }
    }
    let found = branches.keys.sorted().compactMap { branches[$0] }
    let all = epochs.map { transition.steps(at: $0) }
    let summary = Summary(
      study: choice.study, setting: try transition.words(), budgetEpochs: budget, split: split.rawValue,
      outcome: search.outcome.rawValue, transitionEpochs: [epochs[search.low], epochs[search.high]],
      trainedSteps: branches.keys.map { all[$0] }.reduce(0, +), sweepSteps: all.reduce(0, +), branches: found)
    try figures.write(figureSet(summary), summary)
    json ? try printJSON(summary) : show(summary)
  }

  /// The study's runs, which must be seeds of one setting.
  private func configurations() throws -> [RunConfiguration] {
    let declarations = try choice.declarations()
    guard declarations.count == 1 else {
      throw CommandError("\(choice.study) stands for several studies; name one of its panels")
    }
    let settings = set.map { text in
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return Studies.Setting(key: String(parts[0]), value: String(parts[1]))
    }
    let study = try declarations[0].study(scale: choice.scale, settings: settings)
    guard study.axes.isEmpty, let first = study.runs.first?.configuration else {
      throw CommandError(
        "\(choice.study) sweeps \(study.axes.joined(separator: ", ")) and one setting has one transition; choose it with "
          + study.axes.map { "--set \($0)=…" }.joined(separator: " "))
    }
    guard first.schedule.name != .warmupCosine, first.tasks == nil else {
      throw CommandError(
        "\(choice.study) has no trunk whose branch points could be compared; a transition needs a schedule with a stable phase"
      )
    }
    return study.runs.map(\.configuration)
  }

  /// The branch epochs considered, rising.
  private func candidates(_ run: RunConfiguration, _ budget: Double) throws -> [Double] {
    let first = run.warmupInEpochs
    if let branchEpochs {
      let epochs = branchEpochs.split(separator: ",").map { Double($0.trimmingCharacters(in: .whitespaces)) }
      let known = epochs.compactMap(\.self).sorted()
      guard known.count == epochs.count, known.count > 1,
        known.allSatisfy({ $0 >= first && $0 < budget }), Set(known).count == known.count
      else {
        throw CommandError(
          "--branch-epochs \(branchEpochs): expected two or more different epochs from \(Self.text(first)) (the warmup's end) to "
            + "below \(Self.text(budget)) (the budget), with commas between them")
      }
      return known
    }
    let step = resolution ?? max(1, (budget / 32).rounded())
    let count = Int(((budget - first) / step).rounded(.up))
    let epochs = (0..<max(0, count)).map { first + Double($0) * step }.filter { $0 < budget }
    guard epochs.count > 1 else {
      throw CommandError(
        "a budget of \(Self.text(budget)) epochs has no two branch points \(Self.text(step)) epochs apart; choose a smaller --resolution"
      )
    }
    return epochs
  }

  // MARK: Output

  static func text(_ epoch: Double) -> String { String(format: "%.4g", epoch) }

  private static func words(_ height: Estimate) -> String {
    let interval = height.lower.flatMap { lower in
      height.upper.map { String(format: " (95 %% %+.4f … %+.4f)", lower, $0) }
    }
    return String(format: "height %+.4f nats", height.value) + (interval ?? "")
  }

  private func figureSet(_ summary: Summary) -> FigureSet {
    let figure = PathFigure(
      name: "transition", title: "From hill to valley: the line between endpoints by branch epoch",
      curves: summary.branches.map { branch in
        .init(series: Self.text(branch.epoch), measures: branch.paths.map(\.measure))
      }, quantity: "branch epoch", isOrdered: true, setting: summary.setting)
    return FigureSet(
      name: "transition", title: "From hill to valley", description: summary.setting + ".",
      findings: sentences(summary), figures: [figure])
  }

  private func sentences(_ summary: Summary) -> [String] {
    let epochs = summary.transitionEpochs ?? []
    let place =
      switch summary.outcome {
      case TransitionSearch.Outcome.crossing.rawValue:
        "The hill turns valley between branch epochs \(Self.text(epochs[0])) and \(Self.text(epochs[1])) of \(Self.text(summary.budgetEpochs))."
      case TransitionSearch.Outcome.alwaysBelow.rawValue:
        "There is a valley from the first branch epoch looked at, \(Self.text(epochs[0])), on."
      default: "There is a hill still at the last branch epoch looked at, \(Self.text(epochs[1]))."
      }
    let saved = summary.sweepSteps - summary.trainedSteps
    let cost = String(
      format: "Trained %d steps where all branch points would have taken %d: %d (%.0f %%) saved.", summary.trainedSteps,
      summary.sweepSteps, saved, 100 * Double(saved) / Double(max(1, summary.sweepSteps)))
    return [place, cost]
  }

  private func show(_ summary: Summary) {
    var table = TextTable(["branch epoch", "height nats", "95 % from", "to", "verdict", "pairs", "steps"])
    for branch in summary.branches {
      table.rows.append([
        Self.text(branch.epoch), String(format: "%+.4f", branch.height.value),
        branch.height.lower.map { String(format: "%+.4f", $0) } ?? "–",
        branch.height.upper.map { String(format: "%+.4f", $0) } ?? "–", branch.verdict, "\(branch.paths.count)",
        "\(branch.steps)",
      ])
    }
    print(table.text)
    for sentence in sentences(summary) { print(sentence) }
    print(summary.setting)
  }
}
