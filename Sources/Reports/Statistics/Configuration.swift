import Studies

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
  ///
  /// - Parameter evaluation: the test set; nil is the run's own.
  init?(_ run: RunResults, _ measure: Measure, _ selection: MergeSelection, on evaluation: String? = nil) {
    guard run.status == .done else { return nil }
    let rows = selection.chosen(run, on: evaluation).filter { measure.gain($0) != nil }
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
  /// S̃ = η / √B of AdamW; nil for other optimizers.
  public var adamProxy: Double?
  /// In the order of their seeds, whatever their status.
  public var runs: [RunResults]

  /// "lr 0.1, B 128", or the swept values in the order of the study's axes.
  public var label: String {
    guard !settings.isEmpty else { return "as set" }
    return settings.map { setting in
      let axis = Axis(key: setting.key)
      return "\(axis.shortName) \(axis.quantity == .augmentation ? axis.text(self) : setting.value)"
    }.joined(separator: ", ")
  }

  func gains(_ measure: Measure, _ selection: MergeSelection, on evaluation: String? = nil) -> [RunGain] {
    runs.compactMap { RunGain($0, measure, selection, on: evaluation) }
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
        weightDecay: first.weightDecay, noiseProxy: first.noiseProxy, adamProxy: first.adamProxy, runs: runs)
    }
    return groups.sorted {
      ($0.noiseProxy, order[$0.settings] ?? 0) < ($1.noiseProxy, order[$1.settings] ?? 0)
    }
  }
}
