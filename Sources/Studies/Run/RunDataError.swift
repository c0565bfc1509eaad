/// Data that does not suit a run.
public struct RunDataError: Error, CustomStringConvertible, Sendable {
  /// What was found, and what the run needs.
  public let description: String
  init(_ description: String) { self.description = description }
}
