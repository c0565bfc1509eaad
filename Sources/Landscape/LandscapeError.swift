/// What cannot be measured between these weights.
public struct LandscapeError: Error, CustomStringConvertible, Sendable {
  /// Names what does not fit, and what was expected.
  public let description: String
  /// An error with this text.
  public init(_ description: String) { self.description = description }
}
