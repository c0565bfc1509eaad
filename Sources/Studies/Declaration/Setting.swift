/// A named value as `study.yaml` writes it.
public struct Setting: Codable, Hashable, Sendable {
  /// Dotted, such as `optimizer.lr`.
  public var key: String
  /// In YAML.
  public var value: String

  /// A value under its key.
  public init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}
