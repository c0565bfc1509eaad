import Studies

/// The gain of one run.
struct RunGain: Sendable {
  var run: RunResults
  /// The mean over the run's chosen merges, in the measure's unit.
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
