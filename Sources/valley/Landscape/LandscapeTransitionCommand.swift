import ArgumentParser
import Datasets
import Foundation
import Landscape
import Reports
import Studies
import Support
import Torch
import Workbench

/// `valley landscape transition`: from which branch point on the middle between endpoints is a valley.
struct LandscapeTransitionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transition",
    abstract: "Find the branch epoch at which the hill between endpoints becomes a valley.",
    discussion: """
      Takes the runs of a study that differ in nothing but their seeds. The budget T of an endpoint is the schedule's \
      length, warmup, stable phase and decay together. It stays the same whichever epoch T_a the endpoints branch at: \
      they train for T − T_a epochs. The height of a pair is its loss in the middle (λ = 0.5) above the mean of its \
      ends; its mean over pairs and seeds tells hill from valley, and the 95 % interval (over seeds, or over endpoints \
      if there is one seed) says how certain that is.

      The transition is found by bisection over the branch epochs, which trains far fewer of them; --sweep trains them \
      all. The runs are kept in the folder's runs/, in the form of `valley train`, and the same command continues \
      where it was stopped.

      EXAMPLES
        valley landscape transition studies/demo.yaml \\
          --set optimizer.lr=0.02 --set batch_size=64 --out out/transition
        valley landscape transition study.yaml --resolution 5 --split train --out out/transition
        valley landscape transition study.yaml --branch-epochs 1,2,4,8,16 --sweep --out out/curves
      """)

  @OptionGroup var choice: StudyChoice
  @Option(
    name: .long,
    help: ArgumentHelp("A value of the configuration, named as in study.yaml; may be repeated.", valueName: "key=value")
  )
  var set: [String] = []
  @Option(help: "Epochs between the branch points to consider.") var resolution: Double?
  @Option(
    name: .customLong("branch-epochs"),
    help: ArgumentHelp("The branch points to consider, separated by commas.", valueName: "epochs"))
  var branchEpochs: String?
  @Flag(help: "Train every branch point instead of bisecting.") var sweep = false
  @Option(help: "Points on each path, an odd number, so that one is in the middle.") var points = 11
  @Option(help: "The split whose loss tells hill from valley: train or test.") var split = Split.test
  @Option(help: ArgumentHelp("Measure on only the first N examples of the split.", valueName: "n")) var examples: Int?
  @Option(
    name: .customLong("batchnorm"),
    help: ArgumentHelp("BatchNorm statistics at every point, as in `valley landscape path`.", valueName: "off|n|full"))
  var batchNorm = BatchNormPolicy.subset(2000)
  @Option(help: "Threads.  (default: the number of processors)") var threads: Int?
  @OptionGroup var figures: FigureOptions
  @Flag(help: "Print JSON.") var json = false

  private func finder() throws -> TransitionFinder {
    let epochs = try branchEpochs?.split(separator: ",").map { text in
      guard let epoch = Double(text.trimmingCharacters(in: .whitespaces)) else {
        throw ValidationError("--branch-epochs: '\(text)' is not a number; expected epochs separated by commas")
      }
      return epoch
    }
    return TransitionFinder(
      branchEpochs: epochs, resolution: resolution, sweeps: sweep, points: points, split: split, examples: examples,
      batchNorm: batchNorm)
  }

  func validate() throws {
    try validating { try finder().check() }
    try validateThreads(threads)
    _ = try Setting.parse(set)
    guard figures.out != nil else {
      throw ValidationError("--out FOLDER is missing; the runs are kept there, to continue after an interruption")
    }
  }

  func run() throws {
    guard let folder = figures.folder else { return }
    let study = try study()
    if let threads { Libtorch.setThreads(threads) }
    Libtorch.keepFreedMemory()
    var found = try finder().find(study, keptIn: folder, report: Reporter().listener)
    found.study = choice.study
    try figures.write(figureSet(found), found)
    json ? try printJSON(found) : show(found)
  }

  private func study() throws -> Study {
    let declarations = try choice.declarations()
    guard declarations.count == 1 else {
      throw CommandError("\(choice.study) stands for several studies; name one of its panels")
    }
    return try declarations[0].study(scale: choice.scale, settings: Setting.parse(set))
  }

  // MARK: Output

  private func text(_ epoch: Double) -> String { String(format: "%.4g", epoch) }

  private func figureSet(_ found: Transition) -> FigureSet {
    let figure = PathFigure(
      name: "transition", title: "From hill to valley: the line between endpoints by branch epoch",
      curves: found.branches.map { .init(series: text($0.epoch), measures: $0.paths.map(\.measure)) },
      quantity: "branch epoch", isOrdered: true, setting: found.setting)
    return FigureSet(
      name: "transition", title: "From hill to valley", description: found.setting + ".",
      findings: sentences(found), figures: [figure])
  }

  private func sentences(_ found: Transition) -> [String] {
    let epochs = found.transitionEpochs
    let place =
      switch found.outcome {
      case .crossing:
        "The hill turns into a valley between branch epochs \(text(epochs[0])) and \(text(epochs[1])) of "
          + "\(text(found.budgetEpochs))."
      case .alwaysBelow: "There is a valley already at the first branch epoch considered, \(text(epochs[0]))."
      case .alwaysAbove: "There is still a hill at the last branch epoch considered, \(text(epochs[1]))."
      }
    let saved = found.sweepSteps - found.trainedSteps
    let cost = String(
      format: "Trained %d steps where all branch points would have taken %d: %d (%.0f %%) saved.", found.trainedSteps,
      found.sweepSteps, saved, 100 * Double(saved) / Double(max(1, found.sweepSteps)))
    return [place, cost]
  }

  private func show(_ found: Transition) {
    var table = TextTable(["branch epoch", "height nats", "95 % from", "to", "verdict", "pairs", "steps"])
    for branch in found.branches {
      table.rows.append([
        text(branch.epoch), String(format: "%+.4f", branch.height.value),
        branch.height.lower.map { String(format: "%+.4f", $0) } ?? "–",
        branch.height.upper.map { String(format: "%+.4f", $0) } ?? "–", branch.verdict, "\(branch.paths.count)",
        "\(branch.steps)",
      ])
    }
    print(table.text)
    for sentence in sentences(found) { print(sentence) }
    print(found.setting)
  }
}
