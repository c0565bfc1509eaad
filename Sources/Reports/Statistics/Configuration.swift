import Studies

/// Runs that differ only in their seed.
public struct Configuration: Sendable {
  /// The values of the swept keys.
  public var settings: [Setting]
  /// The peak learning rate η.
  public var learningRate: Double
  /// Examples per batch, B.
  public var batchSize: Int
  /// SGD's momentum μ.
  public var momentum: Double
  /// The weight decay coefficient.
  public var weightDecay: Double
  /// S̃ = η / (B (1−μ)^p).
  public var noiseProxy: Double
  /// AdamW's S̃ = η / √B; nil for other optimizers.
  public var adamProxy: Double?
  /// In the order of their seeds, whatever their status.
  public var runs: [RunResults]

  /// The runs that finished without diverging.
  var finished: [RunResults] { runs.filter { $0.status == .done } }

  func gains(_ measure: Measure, _ selection: MergeSelection, on evaluation: String? = nil) -> [RunGain] {
    runs.compactMap { RunGain($0, measure, selection, on: evaluation) }
  }

  /// The configurations of a study in ascending order of S̃, those of equal S̃ in the study's own order.
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
