/// A value of a configuration that cannot be: where, and what was expected.
public struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
  /// Dotted, as files have it, such as `optimizer.learning_rate`.
  public let keyPath: String
  /// What was found, what was expected, and how to mend it.
  public let message: String

  package init(keyPath: String, message: String) { (self.keyPath, self.message) = (keyPath, message) }

  /// The key and what is wrong with it.
  public var description: String { "\(keyPath): \(message)" }
}
