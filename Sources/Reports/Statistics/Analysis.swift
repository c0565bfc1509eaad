import Foundation
import Studies

/// Everything a report says about a study, worked out once.
public struct Analysis: Sendable {
  /// What the study has found.
  public let results: StudyResults
  /// Which merges stand for a run, with the α that the study has.
  public let selection: MergeSelection
  /// Its runs, grouped by all but their seeds; from the lowest S̃ to the highest.
  public let configurations: [Configuration]
  /// The quantity over which a maximum is sought: S̃ where it varies, otherwise the first swept number.
  let testAxis: Axis?
  let lines: Lines
  /// The measures in which the study has gains, the more telling first: the loss for sequences, otherwise the accuracy.
  let measures: [Measure]
  /// One for each measure that the study has; empty where no number is swept.
  public let maxima: [InteriorMaximum]
  /// What fine-tuning at different learning rates gives; nil where nothing says that this is a transfer study.
  public let transfer: Transfer?
  /// What the merge coefficient does, for each test set; empty where it takes few values.
  public let alphaCurves: [AlphaCurves]
  /// Merges across tasks; nil where there are none.
  public let tasks: TaskMerges?
  /// What lies around and between endpoints; nil where it was not measured.
  let landscapes: Landscapes?
  /// What readers must know before they believe a figure, a sentence or two each.
  public let warnings: [String]

  /// The mean training loss (nats) above which a configuration counts as not having fitted its training set.
  public static let fittedTrainLoss = 0.1

  /// - Throws: `ReportError` where no run has finished with a merge.
  public init(_ results: StudyResults, selection: MergeSelection = MergeSelection()) throws {
    let selection = selection.resolved(for: results.runs)
    let configurations = Configuration.group(results.runs)
    self.results = results
    self.selection = selection
    self.configurations = configurations
    let axes = Self.noiseAxes(configurations) + results.axes.map { Axis(key: $0) }
    testAxis = axes.first { axis in Set(configurations.map { axis.number($0) }).subtracting([nil]).count > 1 }
    let isLanguage = results.runs.contains(where: \.isLanguage)
    let measures = (isLanguage ? [Measure.loss, .accuracy] : [.accuracy, .loss]).filter { measure in
      configurations.contains { !$0.gains(measure, selection).isEmpty }
    }
    self.measures = measures
    let primary = measures.first ?? (isLanguage ? .loss : .accuracy)
    let lines = Lines(axes: results.axes.map { Axis(key: $0) }, configurations: configurations)
    transfer = Transfer(results, lines, primary, selection)
    alphaCurves = AlphaCurves.all(lines, primary, selection)
    tasks = TaskMerges(lines, selection)
    landscapes = Landscapes(lines)
    guard !measures.isEmpty || !alphaCurves.isEmpty || tasks != nil || landscapes != nil else {
      throw ReportError.noResults(results)
    }
    if let testAxis {
      maxima = measures.map { InteriorMaximum($0, configurations, along: testAxis, selection) }
    } else {
      maxima = []
    }
    warnings = Self.warnings(results, configurations)
    self.lines = lines
  }

  /// The noise proxies that all configurations have, with the optimizer's own first.
  private static func noiseAxes(_ configurations: [Configuration]) -> [Axis] {
    configurations.allSatisfy { $0.adamProxy != nil } ? [.adamNoise, .noise] : [.noise]
  }

  /// The noise proxies that take more than one value.
  var noiseAxes: [Axis] {
    Self.noiseAxes(configurations).filter { axis in Set(configurations.map { axis.number($0) }).count > 1 }
  }

  /// The swept quantities that take more than one value, except those that follow from others.
  var axes: [Axis] { lines.axes }

  /// The runs that enter the averages.
  var completed: [RunResults] {
    results.runs.filter { run in run.status == .done && !selection.chosen(run).isEmpty }
  }

  /// Configurations with at least one finished run, from the lowest S̃ to the highest.
  var finished: [Configuration] { configurations.filter { !$0.finished.isEmpty } }

  /// "CIFAR-10, ResNet; 3 seeds; each run's gain is the mean of its 6 merges (α = 0.5, the later half of the trunk
  /// checkpoints)."
  var settingText: String {
    let runs = completed
    let perConfiguration = configurations.map { configuration in
      configuration.runs.filter { run in runs.contains { $0.id == run.id } }.count
    }.filter { $0 > 0 }
    let merges = runs.map { selection.chosen($0).count }
    let parts =
      named + [
        span(perConfiguration, "seed") + " per configuration",
        "a run's gain is the mean over \(span(merges, "merge")) (\(selection.words), \(selection.checkpoints.words))",
      ]
    return parts.joined(separator: "; ")
  }

  var proxyText: String {
    let adam = configurations.contains { $0.adamProxy != nil } ? "; for AdamW, S̃_Adam = η / √B" : ""
    return "S̃ = η / (B (1−μ)^p) with p = \(results.exponent)\(adam)"
  }

  /// "CIFAR-10, ResNet".
  var subjectText: String { named.joined(separator: ", ") }

  private var named: [String] { ["dataset", "model"].compactMap(setting) }

  /// What was done about BatchNorm at points between networks, as a sentence; empty for the usual treatment.
  var batchNormText: String {
    setting("merge.batch_norm") == "reestimate" ? "BatchNorm statistics, if any, are re-estimated at every point. " : ""
  }

  private func setting(_ key: String) -> String? { results.settings.first { $0.key == key }?.value }

  private static func warnings(_ results: StudyResults, _ configurations: [Configuration]) -> [String] {
    var warnings: [String] = []
    func warn(_ text: (_ count: Int, _ names: String) -> String, where isHit: (RunResults) -> Bool) {
      let hit = configurations.map { ($0.label, $0.runs.filter(isHit).count) }.filter { $0.1 > 0 }
      let names = hit.prefix(6).map { "\($0.0)\($0.1 > 1 ? " ×\($0.1)" : "")" }.joined(separator: "; ")
      guard !hit.isEmpty else { return }
      warnings.append(
        text(hit.reduce(0) { $0 + $1.1 }, names)
          + (hit.count > 6 ? "; and \(hit.count - 6) more configurations." : "."))
    }
    warn {
      "\(counted($0, "run")) diverged (training loss NaN or infinite) and \($0 == 1 ? "is" : "are") left out of every "
        + "average, which flatters the settings concerned: \($1)"
    } where: {
      if case .diverged = $0.status { true } else { false }
    }
    warn {
      "\(counted($0, "run")) failed and \($0 == 1 ? "is" : "are") missing: \($1)"
    } where: {
      if case .failed = $0.status { true } else { false }
    }
    warn {
      "\(counted($0, "run")) of \(results.runs.count) \($0 == 1 ? "has" : "have") not finished, so this report covers "
        + "only part of the study: \($1)"
    } where: {
      $0.status == .pending || $0.status == .running
    }
    warn {
      "\(counted($0, "finished run")) \($0 == 1 ? "has" : "have") no merge: \($1)"
    } where: { run in
      run.status == .done && !run.rows.contains { $0.kind == .merged }
    }
    let worst = results.runs.filter { $0.status == .done }.compactMap(\.finalTrainLoss).max() ?? .nan
    warn {
      "\(counted($0, "run")) ended with a training loss above \(short(fittedTrainLoss)) nats (up to "
        + "\(short(worst, digits: 2))); the paper compares networks trained to nearly 0, so gains there may also mean "
        + "that training was not finished: \($1)"
    } where: {
      $0.status == .done && ($0.finalTrainLoss.map { $0 > fittedTrainLoss } ?? false)
    }
    return warnings
  }
}
