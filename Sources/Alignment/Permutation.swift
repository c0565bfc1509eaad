/// A rearrangement of n units: unit `i` of what it makes is unit `indices[i]` of what it is given.
public struct Permutation: Sendable, Hashable {
  public let indices: [Int]

  /// The permutation that changes nothing.
  public init(identity count: Int) { indices = Array(0..<count) }
}
