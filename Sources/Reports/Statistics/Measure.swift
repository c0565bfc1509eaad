import Studies

/// The quantity in which a merge gains.
public enum Measure: String, Codable, CaseIterable, Sendable {
  /// Test accuracy of the merge minus that of its singles, in percentage points; higher is better.
  case accuracy
  /// Test cross-entropy of the merge minus that of its singles, in nats; lower is better.
  case loss

  var name: String { "\(rawValue) gain" }
  /// The name at the start of a sentence, with the direction of what is better.
  var heading: String { self == .accuracy ? "Accuracy gain" : "Loss gain (lower is better)" }
  var unit: String { self == .accuracy ? "pp" : "nats" }
  /// +1 where a higher gain is better, −1 where a lower one is.
  var sign: Double { self == .accuracy ? 1 : -1 }
  /// "highest accuracy gain", "lowest loss gain".
  var best: String { self == .accuracy ? "highest" : "lowest" }
  var axisTitle: String {
    self == .accuracy ? "accuracy gain of the merge (pp)" : "loss gain of the merge (nats; up is better)"
  }

  /// The tolerance within which a level counts as good as the best: 1 pp, 0.02 nats.
  var tolerance: Double { self == .accuracy ? 1 : 0.02 }
  var levelTitle: String { self == .accuracy ? "test accuracy (%)" : "test loss (nats)" }
  var singleTitle: String { self == .accuracy ? "single accuracy (%)" : "single loss (nats)" }

  /// The level of a row in this measure's unit, accuracies in percent; nil where it is not finite.
  func level(_ row: ResultRow) -> Double? {
    let value = self == .accuracy ? 100 * row.testAccuracy : row.testLoss
    return value.isFinite ? value : nil
  }

  /// The mean level of the singles of a merge.
  func singleLevel(_ row: ResultRow) -> Double? {
    let value = self == .accuracy ? row.singleAccuracy.map { 100 * $0 } : row.singleLoss
    return value.flatMap { $0.isFinite ? $0 : nil }
  }

  /// A level as people write it: `75.3 %`, `2.2041 nats`.
  func levelText(_ value: Double) -> String {
    self == .accuracy ? String(format: "%.1f %%", value) : String(format: "%.4f nats", value)
  }

  /// The gain of a merged row in this measure's unit; nil for singles and for values that are not finite.
  func gain(_ row: ResultRow) -> Double? {
    guard row.kind == .merged else { return nil }
    let value = self == .accuracy ? row.accuracyGain.map { 100 * $0 } : row.lossGain
    return value.flatMap { $0.isFinite ? $0 : nil }
  }

  /// The paired standard error of the gain over test examples.
  func error(_ row: ResultRow) -> Double? {
    let value = self == .accuracy ? row.accuracyGainError.map { 100 * $0 } : row.lossGainError
    return value.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
  }

  /// The gain as people write it, with its sign: `+0.42 pp`, `−0.0081 nats`.
  func text(_ value: Double, unit withUnit: Bool = true) -> String {
    let digits = self == .accuracy ? 2 : 4
    return signed(value, digits: digits) + (withUnit ? " \(unit)" : "")
  }
}
