/// A named value as `study.yaml` writes it.
public struct Setting: Codable, Hashable, Sendable {
  public var key: String
  public var value: String

  public init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}
