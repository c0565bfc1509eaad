import Foundation
import Studies

/// Whether the gain is greater somewhere inside the range of a swept quantity than at both of its ends.
///
/// **Levels.** Completed runs with the same value of the quantity (S̃, equal to a relative 1e-9) form a level; the
/// observation is the gain of a run. The ends are the lowest and the highest level that have two or more completed
/// runs.
///
/// **Test.** For an interior level m, two one-sided Welch t tests: gain(m) > gain(lowest) and gain(m) > gain(highest).
/// Both must hold, so the p-value of m is the larger of the two (intersection–union, Berger 1982), and as m is not
/// chosen beforehand it is multiplied by the number of interior levels (Bonferroni). Significant means below 0.05 for
/// some m.
///
/// Runs are not paired by seed: with other learning rates or batch sizes the same seed soon leads elsewhere, so pairing
/// would remove little variance and halve the few degrees of freedom. Should seeds have a common effect after all,
/// Welch's test errs on the safe side. For the loss, where lower is better, the sign is turned and "maximum" reads as
/// the greatest reduction.
public struct InteriorMaximum: Codable, Hashable, Sendable {
  public enum Verdict: String, Codable, Sendable {
    /// Some interior level is significantly better than both ends.
    case significant
    /// An interior level is best, and the data do not tell it from chance.
    case notSignificant
    /// No interior level is better than both ends: the best level is the lowest.
    case bestAtLowEnd
    /// No interior level is better than both ends: the best level is the highest.
    case bestAtHighEnd
    /// The data allow no test; `reason` says why.
    case noTest
  }

  /// A level of the swept quantity.
  public struct Level: Codable, Hashable, Sendable {
    /// The value of the quantity.
    public var position: Double
    /// The configurations that have this value, such as "lr 0.1, B 128".
    public var configurations: [String]
    public var gain: Estimate
  }

  public static let significance = 0.05

  public var measure: Measure
  /// The swept quantity, such as "effective noise scale S̃".
  public var quantity: String
  public var verdict: Verdict
  /// Why there is no test.
  public var reason: String?
  /// Every level with a completed run, in ascending order.
  public var levels: [Level]
  /// The tested ends.
  public var low: Level?
  public var high: Level?
  /// The interior level reported: the best of those that are significant, otherwise the best of all.
  public var best: Level?
  /// Its p-value, corrected for the number of candidates; at most 1.
  public var pValue: Double?
  /// The number of interior levels tested, by which p was multiplied.
  public var candidates: Int
  /// Whether the 95 % interval at `best` lies wholly above the estimates at both ends (a weaker statement than the
  /// test).
  public var intervalAboveEnds: Bool

  /// - Parameters:
  ///   - configurations: those of the study; runs that have not finished or have diverged are left out.
  ///   - axis: a quantity with numbers.
  init(_ measure: Measure, _ configurations: [Configuration], along axis: Axis, _ selection: MergeSelection) {
    let sampled: [(position: Double, label: String, gains: [RunGain])] =
      configurations.compactMap { configuration in
        guard let position = axis.number(configuration) else { return nil }
        let gains = configuration.gains(measure, selection)
        return gains.isEmpty ? nil : (position, configuration.label, gains)
      }.sorted { $0.position < $1.position }
    var groups: [(position: Double, labels: [String], gains: [RunGain])] = []
    for sample in sampled {
      if let last = groups.last, abs(sample.position - last.position) <= 1e-9 * abs(last.position) {
        groups[groups.count - 1].labels.append(sample.label)
        groups[groups.count - 1].gains += sample.gains
      } else {
        groups.append((sample.position, [sample.label], sample.gains))
      }
    }
    let pairs: [(level: Level, values: [Double])] = groups.compactMap { group in
      guard let gain = Estimate(runs: group.gains) else { return nil }
      let level = Level(position: group.position, configurations: group.labels, gain: gain)
      return (level, group.gains.map { measure.sign * $0.value })
    }
    self.init(measure, quantity: axis.title, pairs)
  }

  /// The test itself. `samples` are in ascending order of position, with values turned so that higher is better.
  init(_ measure: Measure, quantity: String, _ samples: [(level: Level, values: [Double])]) {
    self.measure = measure
    self.quantity = quantity
    levels = samples.map(\.level)
    candidates = 0
    intervalAboveEnds = false
    verdict = .noTest
    let repeated = samples.filter { $0.values.count > 1 }
    guard samples.count > 2 else {
      reason =
        "there \(samples.count == 1 ? "is" : "are") \(counted(samples.count, "level")) with completed runs, "
        + "and an interior needs at least three"
      return
    }
    guard let low = repeated.first, let high = repeated.last, repeated.count > 2 else {
      reason =
        "\(counted(repeated.count, "level")) of \(samples.count) \(repeated.count == 1 ? "has" : "have") two or more "
        + "completed runs, and the test needs repeated seeds at both ends and at one level between them"
      return
    }
    self.low = low.level
    self.high = high.level
    let interior = repeated.dropFirst().dropLast()
    let tested = interior.map { sample in
      let p: Double? = welchGreater(sample.values, low.values).flatMap { first in
        welchGreater(sample.values, high.values).map { max(first, $0) }
      }
      return (sample: sample, p: p)
    }
    candidates = tested.count
    guard tested.contains(where: { $0.p != nil }) else {
      reason = "the repeated runs do not differ at all, so their scatter cannot be estimated"
      return
    }
    let adjusted = tested.map { (sample: $0.sample, p: $0.p.map { min(1, $0 * Double(tested.count)) }) }
    let significant = adjusted.filter { $0.p.map { $0 < Self.significance } ?? false }
    let pool = significant.isEmpty ? adjusted : significant
    guard let chosen = pool.max(by: { mean($0.sample.values) < mean($1.sample.values) }) else { return }
    best = chosen.sample.level
    pValue = chosen.p
    let ends = max(mean(low.values), mean(high.values))
    if !significant.isEmpty {
      verdict = .significant
    } else if mean(chosen.sample.values) > ends {
      verdict = .notSignificant
    } else {
      verdict = mean(low.values) >= mean(high.values) ? .bestAtLowEnd : .bestAtHighEnd
    }
    let gain = chosen.sample.level.gain
    if let worst = measure.sign > 0 ? gain.lower : gain.upper { intervalAboveEnds = measure.sign * worst > ends }
  }
}

/// "1 level", "3 levels".
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
