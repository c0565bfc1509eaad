import Schema

/// Collects what is impossible about a configuration.
struct ConfigurationCheck {
  /// No count in a configuration is larger than this.
  static let most = 1_000_000_000

  private(set) var problems: [ConfigurationProblem]

  mutating func require(_ holds: Bool, _ keyPath: String, _ message: @autoclosure () -> String) {
    if !holds { add(ConfigurationProblem(keyPath: keyPath, message: message())) }
  }

  /// What a value has to be beside others, where its key says only what it is at most.
  mutating func range(_ value: Int?, _ bounds: ClosedRange<Int>, _ keyPath: String) {
    guard let value else { return }
    require(
      bounds.contains(value), keyPath,
      "is \(value); expected a whole number between \(bounds.lowerBound) and \(bounds.upperBound)")
  }

  /// The same thing is said once.
  mutating func add(_ problem: ConfigurationProblem) {
    if !problems.contains(problem) { problems.append(problem) }
  }
}
