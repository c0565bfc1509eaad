/// What cannot be merged, in a sentence that names the culprit and the remedy.
public struct MergeError: Error, CustomStringConvertible, Sendable {
  /// The sentence.
  public let description: String
  /// An error that says `description`.
  public init(_ description: String) { self.description = description }
}
