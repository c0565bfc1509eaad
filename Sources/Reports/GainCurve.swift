import Studies

/// Which merges stand for a run when its gain is one number.
///
/// A run's gain is the mean over its pairwise merges with the chosen method and α, at the chosen trunk checkpoints. The
/// default, the later half of the checkpoints, is fixed beforehand: early in training the networks are still improving
/// fast, and what the learning rate and batch size leave behind is not yet there; a single last checkpoint would waste
/// most merges.
public struct MergeSelection: Codable, Hashable, Sendable {
  public enum Checkpoints: String, Codable, CaseIterable, Sendable {
    case all
    /// Of n branching points the last ⌈n/2⌉.
    case laterHalf = "later-half"
    case last

    var words: String {
      switch self {
      case .all: "all trunk checkpoints"
      case .laterHalf: "the later half of the trunk checkpoints"
      case .last: "the last trunk checkpoint"
      }
    }
  }

  public var checkpoints: Checkpoints
  /// The merge coefficient; where the study has not this one, the nearest it has.
  public var alpha: Double

  public init(checkpoints: Checkpoints = .laterHalf, alpha: Double = 0.5) {
    self.checkpoints = checkpoints
    self.alpha = alpha
  }

  /// The selection with α replaced by the nearest that occurs in `runs`.
  func resolved(for runs: [RunResults]) -> MergeSelection {
    let alphas = Set(runs.flatMap(\.rows).filter { $0.kind == .merged }.compactMap(\.alpha))
    let nearest = alphas.min { (abs($0 - alpha), $0) < (abs($1 - alpha), $1) }
    return MergeSelection(checkpoints: checkpoints, alpha: nearest ?? alpha)
  }

  /// The merges of a run at this α, over all checkpoints: pairs where there are pairs, otherwise merges of more.
  func merges(_ run: RunResults) -> [ResultRow] {
    let rows = run.rows.filter { row in
      row.kind == .merged && row.alpha.map { abs($0 - alpha) < 1e-9 } ?? true
    }
    let pairs = rows.filter { $0.endpoints.count == 2 }
    return pairs.isEmpty ? rows : pairs
  }

  /// Those of `merges` at the chosen checkpoints.
  func chosen(_ run: RunResults) -> [ResultRow] {
    let rows = merges(run)
    let steps = Set(rows.map(\.step)).sorted()
    let kept: Set<Int> =
      switch checkpoints {
      case .all: Set(steps)
      case .laterHalf: Set(steps.suffix((steps.count + 1) / 2))
      case .last: Set(steps.suffix(1))
      }
    return rows.filter { kept.contains($0.step) }
  }
}

/// The gain of one run.
struct RunGain: Sendable {
  var run: RunResults
  /// Mean over the run's chosen merges, in the measure's unit.
  var value: Double
  /// Standard error over test examples. The merges of a run share the test set and are correlated to an unknown degree,
  /// so this is the mean of their errors, which the error of the mean cannot exceed.
  var error: Double?
  var merges: Int

  /// Nil for a run that has not finished, has diverged, or has no merge of that kind.
  init?(_ run: RunResults, _ measure: Measure, _ selection: MergeSelection) {
    guard run.status == .done else { return nil }
    let rows = selection.chosen(run).filter { measure.gain($0) != nil }
    guard !rows.isEmpty else { return nil }
    self.run = run
    value = mean(rows.compactMap { measure.gain($0) })
    let errors = rows.compactMap { measure.error($0) }
    error = errors.count == rows.count ? mean(errors) : nil
    merges = rows.count
  }
}

/// Runs that differ only in their seed.
public struct Configuration: Sendable {
  public var settings: [Setting]
  public var learningRate: Double
  public var batchSize: Int
  public var momentum: Double
  public var weightDecay: Double
  public var noiseProxy: Double
  /// In the order of their seeds, whatever their status.
  public var runs: [RunResults]

  /// "lr 0.1, B 128", or the swept values in the order of the study's axes.
  public var label: String {
    settings.isEmpty ? "as set" : settings.map { "\(Axis(key: $0.key).shortName) \($0.value)" }.joined(separator: ", ")
  }

  func gains(_ measure: Measure, _ selection: MergeSelection) -> [RunGain] {
    runs.compactMap { RunGain($0, measure, selection) }
  }

  /// The configurations of a study, by S̃; those of equal S̃ in the order in which the study has them.
  static func group(_ runs: [RunResults]) -> [Configuration] {
    var order: [[Setting]: Int] = [:]
    for run in runs where order[run.settings] == nil { order[run.settings] = order.count }
    let groups = Dictionary(grouping: runs, by: \.settings).values.compactMap { runs -> Configuration? in
      let runs = runs.sorted { ($0.seed, $0.id) < ($1.seed, $1.id) }
      guard let first = runs.first else { return nil }
      return Configuration(
        settings: first.settings, learningRate: first.learningRate, batchSize: first.batchSize,
        momentum: first.momentum,
        weightDecay: first.weightDecay, noiseProxy: first.noiseProxy, runs: runs)
    }
    return groups.sorted {
      ($0.noiseProxy, order[$0.settings] ?? 0) < ($1.noiseProxy, order[$1.settings] ?? 0)
    }
  }
}
