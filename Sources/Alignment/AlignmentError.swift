/// Networks that cannot be aligned, or an alignment that does not fit them.
public struct AlignmentError: Error, CustomStringConvertible, Sendable, Equatable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
