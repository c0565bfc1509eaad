import Support

/// A rearrangement of n units: unit `i` of what it makes is unit `indices[i]` of what it is given.
public struct Permutation: Sendable, Hashable, Codable {
  /// Where each unit comes from.
  public let indices: [Int]

  /// The permutation that changes nothing.
  public init(identity count: Int) { indices = Array(0..<count) }

  /// A permutation by its indices.
  ///
  /// - Throws: `AlignmentError` unless every number from 0 on is there once.
  public init(_ indices: [Int]) throws {
    var isTaken = [Bool](repeating: false, count: indices.count)
    for index in indices {
      guard indices.indices.contains(index), !isTaken[index] else {
        throw AlignmentError(
          "\(indices.count) numbers with \(index) among them are no permutation of 0 ..< \(indices.count)")
      }
      isTaken[index] = true
    }
    self.indices = indices
  }

  init(trusted indices: [Int]) { self.indices = indices }

  /// One drawn at random, all equally likely.
  public init(random count: Int, using random: inout SplitMix64) {
    var indices = Array(0..<count)
    for place in stride(from: count - 1, to: 0, by: -1) { indices.swapAt(place, random.below(place + 1)) }
    self.indices = indices
  }

  /// Units in all.
  public var count: Int { indices.count }
  /// Whether every unit stays.
  public var isIdentity: Bool { indices.enumerated().allSatisfy { $0 == $1 } }

  /// The permutation that undoes this one.
  public var inverse: Permutation {
    var result = indices
    for (place, index) in indices.enumerated() { result[index] = place }
    return Permutation(trusted: result)
  }

  /// `first`, and then this permutation, as one.
  public func after(_ first: Permutation) -> Permutation {
    Permutation(trusted: indices.map { first.indices[$0] })
  }

  /// How many units it moves.
  public var moved: Int { indices.enumerated().count { $0 != $1 } }
}
