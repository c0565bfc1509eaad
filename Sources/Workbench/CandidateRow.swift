import Foundation

/// One evaluation of a search for the best merge.
public struct CandidateRow: Codable, Hashable, Sendable {
  /// The value of one range of the recipe.
  public struct Value: Codable, Hashable, Sendable { public var name, value: String }

  /// Counted from 1
  public var number: Int
  /// A coordinate for each range, as the search has it
  public var point: [Double]
  /// A value for each range, as the recipe has it
  public var values: [Value]
  /// Mean cross-entropy in nats, and accuracy as a fraction
  public var loss, accuracy: Double?
  /// Time spent on merging and measuring
  public var seconds: Double
  /// Why it could not be merged or measured
  public var error: String?

  /// `loss 0.1234, accuracy 98.76 %`
  public var text: String { String(format: "loss %.4f, accuracy %.2f %%", loss ?? .nan, (accuracy ?? .nan) * 100) }
}
