import Foundation
import Studies

/// Whether the gain is greater somewhere inside the range of a swept quantity than at both of its ends.
///
/// **Levels.** Completed runs with the same value of the quantity (S̃, equal to a relative 1e-9) form a level; where
/// more than five values lie between the lowest and the highest, neighbours among them are pooled into five levels with
/// numbers of values as equal as possible. That depends on the grid alone, not on the gains, and keeps the
/// correction below small; the slope within a level only adds to its scatter, which makes the test more cautious. The
/// observation is the gain of a run. The ends are the lowest and the highest level that have a configuration with two
/// or more completed runs.
///
/// **Test.** For an interior level m, two one-sided Welch t tests: gain(m) > gain(lowest) and gain(m) > gain(highest).
/// Both must hold, so the p-value of m is the larger of the two (intersection–union, Berger 1982), and as m is not
/// chosen beforehand it is multiplied by the number of interior levels (Bonferroni). Significant means below 0.05 for
/// some m.
///
/// Runs are not paired by seed: with other learning rates or batch sizes the same seed soon leads elsewhere, so pairing
/// would remove little variance and halve the few degrees of freedom. If seeds have a common effect after all,
/// Welch's test errs on the safe side. For the loss, where lower is better, the sign is reversed and "maximum" means
/// the greatest reduction.
public struct InteriorMaximum: Codable, Hashable, Sendable {
  /// What the test found.
  public enum Verdict: String, Codable, Sendable {
    /// Some interior level is significantly better than both ends.
    case significant
    /// An interior level is best, but the data do not tell it from chance.
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
    /// The value of the quantity: the geometric mean of several, or one of them where they are not all positive.
    public var position: Double
    /// The lowest value pooled here.
    public var from: Double
    /// The highest value pooled here.
    public var to: Double
    /// The configurations that have these values, such as "lr 0.1, B 128".
    public var configurations: [String]
    /// The gain over all runs of the level.
    public var gain: Estimate
  }

  /// The runs of a level.
  struct Sample: Sendable {
    var level: Level
    /// The gain of each run, with its sign such that higher is better.
    var values: [Double]
    /// Whether a configuration was run more than once.
    var isRepeated: Bool
  }

  /// The corrected p-value below which a level is significant.
  public static let significance = 0.05
  /// The largest number of levels between the ends.
  public static let maximumInteriorLevels = 5

  /// The quantity that gains are in.
  public var measure: Measure
  /// The swept quantity, such as "effective noise scale S̃".
  public var quantity: String
  /// What the test found.
  public var verdict: Verdict
  /// Why there is no test.
  public var reason: String?
  /// Every level with a completed run, in ascending order.
  public var levels: [Level]
  /// The lowest level tested.
  public var low: Level?
  /// The highest level tested.
  public var high: Level?
  /// The interior level reported: the best significant one, or else the best of all.
  public var best: Level?
  /// Its p-value, corrected for the number of candidates; at most 1.
  public var pValue: Double?
  /// The number of interior levels tested, by which p was multiplied.
  public var candidates: Int
  /// Whether the 95 % interval at `best` lies wholly above the estimates at both ends, which says less than the
  /// test.
  public var intervalAboveEnds: Bool

  /// - Parameters:
  ///   - configurations: those of the study; unfinished and diverged runs are left out
  ///   - axis: a quantity with numbers
  init(_ measure: Measure, _ configurations: [Configuration], along axis: Axis, _ selection: MergeSelection) {
    let placed = configurations.compactMap { configuration -> (position: Double, label: String, gains: [RunGain])? in
      let gains = configuration.gains(measure, selection)
      return axis.number(configuration).flatMap { gains.isEmpty ? nil : ($0, configuration.label, gains) }
    }.sorted { $0.position < $1.position }
    var positions: [Double] = []
    for position in placed.map(\.position)
    where positions.last.map({ abs(position - $0) > 1e-9 * abs($0) }) ?? true { positions.append(position) }
    let samples = Self.grouped(positions).compactMap { members -> Sample? in
      guard let from = members.first, let to = members.last else { return nil }
      let own = placed.filter { $0.position >= from && $0.position <= to * (1 + 2e-9) }
      let gains = own.flatMap(\.gains)
      guard let gain = Estimate(runs: gains) else { return nil }
      let middle = members.count == 1 || from <= 0 ? members[members.count / 2] : exp(mean(members.map { log($0) }))
      let level = Level(position: middle, from: from, to: to, configurations: own.map(\.label), gain: gain)
      return Sample(
        level: level, values: gains.map { measure.sign * $0.value }, isRepeated: own.contains { $0.gains.count > 1 })
    }
    self.init(measure, quantity: axis.title, samples)
  }

  /// The ends by themselves, and between them at most five groups of neighbours.
  static func grouped(_ positions: [Double]) -> [[Double]] {
    guard positions.count > 2 else { return positions.map { [$0] } }
    let interior = Array(positions[1..<(positions.count - 1)])
    let count = min(interior.count, maximumInteriorLevels)
    let groups = (0..<count).map { index in
      Array(interior[(index * interior.count / count)..<((index + 1) * interior.count / count)])
    }
    return [[positions[0]]] + groups + [[positions[positions.count - 1]]]
  }

  /// The test itself, on levels in ascending order.
  init(_ measure: Measure, quantity: String, _ samples: [Sample]) {
    self.measure = measure
    self.quantity = quantity
    levels = samples.map(\.level)
    candidates = 0
    intervalAboveEnds = false
    verdict = .noTest
    let repeated = samples.filter { $0.isRepeated && $0.values.count > 1 }
    guard samples.count > 2 else {
      reason =
        "there \(samples.count == 1 ? "is" : "are") \(counted(samples.count, "level")) with completed runs, "
        + "but at least three are needed"
      return
    }
    guard let low = repeated.first, let high = repeated.last, repeated.count > 2 else {
      reason =
        "\(counted(repeated.count, "level")) of \(samples.count) \(repeated.count == 1 ? "has" : "have") a "
        + "configuration "
        + "with two or more completed runs, but the test needs repeated seeds at both ends and at one level between "
        + "them"
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

  /// `best` where it lies inside the range, significantly or not.
  var inside: Level? { verdict == .significant || verdict == .notSignificant ? best : nil }

  /// "S̃ = 0.0234 (lr 0.3, B 128)", "S̃ 0.0156 to 0.0234 (lr 0.1, B 64; lr 0.3, B 128)".
  static func place(_ level: Level, symbol: String) -> String {
    let shown = level.configurations.prefix(4)
    let more = level.configurations.count - shown.count
    let names = shown.joined(separator: "; ") + (more > 0 ? "; and \(more) more" : "")
    return "\(range(level, symbol: symbol)) (\(names))"
  }

  static func range(_ level: Level, symbol: String) -> String {
    let isOne = level.from == level.to
    return isOne
      ? "\(symbol) = \(short(level.position, digits: 3))"
      : "\(symbol) \(short(level.from, digits: 3)) to \(short(level.to, digits: 3))"
  }
}
