/// Networks that cannot be aligned, or an alignment that does not fit them.
public struct AlignmentError: Error, CustomStringConvertible, Sendable, Equatable {
  /// Names what does not fit, and what was expected.
  public let description: String
  /// An error with this text.
  public init(_ description: String) { self.description = description }
}
