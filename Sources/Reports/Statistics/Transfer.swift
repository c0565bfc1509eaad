import Foundation
import Studies

/// What networks that start from pretrained weights gain at different learning rates, on each test set (the paper's
/// Figures 6, 11, 12 and 22).
public struct Transfer: Codable, Sendable {
  /// What is known at one learning rate; accuracies in percent, gains in percentage points, losses in nats.
  public struct Level: Codable, Sendable {
    /// The learning rate of the networks.
    public var learningRate: Double
    /// What the merge gains over the mean of its singles.
    public var gain: Estimate
    /// The level of the networks before merging.
    public var single: Estimate
    /// The level of the merged networks.
    public var merged: Estimate
    /// The level of the ensemble, which averages predicted probabilities; nil where it was not evaluated.
    public var ensemble: Estimate?
  }

  /// What is known on one test set.
  public struct TestSet: Codable, Sendable {
    /// The entry of `evaluate`; nil is the run's own test set.
    public var evaluation: String?
    /// In ascending order of the learning rate.
    public var levels: [Level]
    /// The correlation of the runs' gains with their learning rates.
    public var correlation: Correlation?
    /// The correlation of the runs' gains with the logarithms of their learning rates.
    public var logarithmicCorrelation: Correlation?
    /// The learning rate with the best mean level of singles.
    public var bestSingle: Double
    /// The learning rate with the best mean level of merged networks.
    public var bestMerged: Double
    /// Whether the test set is the only one.
    var isOnly = false

    private enum CodingKeys: String, CodingKey {
      case evaluation, levels, correlation, logarithmicCorrelation, bestSingle, bestMerged
    }

    var title: String { evaluation ?? (isOnly ? "test set" : "test set (in distribution)") }

    func level(at learningRate: Double) -> Level? { levels.first { $0.learningRate == learningRate } }
  }

  /// The quantity that gains and levels are in.
  public var measure: Measure
  /// The run's own test set first.
  public var testSets: [TestSet]

  /// Nil unless there are three learning rates, nothing else is swept, and the study starts from pretrained weights or
  /// has further test sets.
  init?(
    _ results: StudyResults, _ lines: Lines, _ measure: Measure, _ selection: MergeSelection
  ) {
    let configurations = lines.configurations
    let rows = configurations.flatMap(\.runs).flatMap(\.rows).filter { $0.kind == .merged && !$0.isAcrossTasks }
    let evaluations = rows.compactMap(\.evaluation).distinct()
    let isPretrained = results.settings.contains { setting in
      (setting.key == "start" || setting.key.hasPrefix("start.")) && !["null", "none", ""].contains(setting.value)
    }
    guard isPretrained || !evaluations.isEmpty, lines.axes.contains(where: { $0.quantity == .learningRate }),
      lines.axes(over: .learningRate).allSatisfy({ $0.quantity == .learningRate })
    else { return nil }
    let names: [String?] = [nil] + evaluations
    testSets = names.compactMap { TestSet(configurations, measure, selection, on: $0) }
    for index in testSets.indices { testSets[index].isOnly = testSets.count == 1 }
    self.measure = measure
    if testSets.isEmpty { return nil }
  }

  /// The finding on the run's own test set, in a few words; nil without a correlation.
  var headline: String? {
    guard let set = testSets.first, let correlation = set.correlation else { return nil }
    let found =
      correlation.isCertain
      ? measure.sign * correlation.r > 0
        ? "The gain from merging grows with the learning rate"
        : "The gain from merging shrinks as the learning rate grows"
      : "No clear linear relation between gain and learning rate"
    return "\(found) (r = \(roundedCorrelation(correlation.r))); the best merged networks are at "
      + "\(short(set.bestMerged)), the best singles at \(short(set.bestSingle))"
  }

  /// The finding on each test set, a sentence or two each.
  var sentences: [String] {
    testSets.map { set in
      let gain = measure == .accuracy ? "the accuracy gain" : "the loss gain (lower is better)"
      var text = "On \(set.evaluation ?? "the \(set.title)"): \(gain) "
      if let correlation = set.correlation {
        let turned = measure.sign * correlation.r
        text +=
          correlation.isCertain
          ? (turned > 0 ? "grows with the learning rate" : "shrinks as the learning rate grows")
          : "shows no clear linear relation to the learning rate"
        text += ", \(correlation.text("run"))"
        if let other = set.logarithmicCorrelation { text += "; with its logarithm r = \(roundedCorrelation(other.r))" }
      } else {
        text += "cannot be correlated with the learning rate"
      }
      if let low = set.levels.first, let high = set.levels.last, set.levels.count > 1 {
        text +=
          ". It goes from \(measure.text(low.gain.value)) at the smallest learning rate to "
          + "\(measure.text(high.gain.value)) at the largest"
        let ratio = high.gain.value / low.gain.value
        if ratio.isFinite, ratio > 1, measure.sign * low.gain.value > 0 {
          text += ", \(short(ratio, digits: 2)) times as much"
        }
      }
      if let single = set.level(at: set.bestSingle), let merged = set.level(at: set.bestMerged) {
        text +=
          ". The best merged networks are at learning rate \(short(set.bestMerged)) "
          + "(\(measure.levelText(merged.merged.value))), the best singles at \(short(set.bestSingle)) "
          + "(\(measure.levelText(single.single.value)))"
      }
      return text + "."
    }
  }
}

extension Transfer.TestSet {
  /// Nil for fewer than three learning rates with gains.
  fileprivate init?(
    _ configurations: [Configuration], _ measure: Measure, _ selection: MergeSelection, on evaluation: String?
  ) {
    var points: [(rate: Double, gain: Double)] = []
    let groups = Dictionary(grouping: configurations, by: \.learningRate)
    let levels = groups.compactMap { rate, configurations -> Transfer.Level? in
      let gains = configurations.flatMap { $0.gains(measure, selection, on: evaluation) }
      points += gains.map { (rate, $0.value) }
      let samples = gains.map { Self.samples($0.run, measure, selection, on: evaluation) }
      guard let gain = Estimate(runs: gains), let single = Estimate(samples: samples.map(\.single)),
        let merged = Estimate(samples: samples.map(\.merged))
      else { return nil }
      return Transfer.Level(
        learningRate: rate, gain: gain, single: single, merged: merged,
        ensemble: Estimate(samples: samples.map(\.ensemble)))
    }.sorted { $0.learningRate < $1.learningRate }
    func best(_ value: (Transfer.Level) -> Double) -> Double? {
      levels.max { measure.sign * value($0) < measure.sign * value($1) }?.learningRate
    }
    guard levels.count > 2, let single = best({ $0.single.value }), let merged = best({ $0.merged.value }) else {
      return nil
    }
    self.levels = levels
    (bestSingle, bestMerged) = (single, merged)
    // In a fixed order, so that sums are the same every time.
    points.sort { ($0.rate, $0.gain) < ($1.rate, $1.gain) }
    correlation = Correlation(points.map { ($0.rate, $0.gain) })
    logarithmicCorrelation = Correlation(points.filter { $0.rate > 0 }.map { (log10($0.rate), $0.gain) })
    self.evaluation = evaluation
  }

  private static func samples(
    _ run: RunResults, _ measure: Measure, _ selection: MergeSelection, on evaluation: String?
  ) -> (single: [Estimate.Sample], merged: [Estimate.Sample], ensemble: [Estimate.Sample]) {
    let merges = selection.chosen(run, on: evaluation)
    let steps = Set(merges.map(\.step))
    let rows = run.rows.filter { $0.evaluation == evaluation && steps.contains($0.step) }
    func samples(_ rows: [ResultRow]) -> [Estimate.Sample] {
      rows.compactMap { row in measure.level(row).map { Estimate.Sample(endpoints: row.endpoints, value: $0) } }
    }
    return (
      samples(rows.filter { $0.kind == .single }), samples(merges), samples(rows.filter { $0.kind == .ensemble }.pairs)
    )
  }
}
