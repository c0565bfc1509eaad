/// Finds by bisection where a quantity that falls from above zero to below crosses it: the branch point from which on
/// the middle between endpoints is a valley.
public struct TransitionSearch: Codable, Hashable, Sendable {
  /// What was found.
  public enum Outcome: String, Codable, Sendable {
    /// It crosses between `low` and `high`.
    case crossing
    /// It is below zero from the first place on.
    case alwaysBelow = "valley everywhere"
    /// It is above zero at the last place still.
    case alwaysAbove = "hill everywhere"
  }

  /// Whether and how it crosses.
  public let outcome: Outcome
  /// The last place known to be above zero; where it is nowhere, the first place.
  public let low: Int
  /// The first place known to be below zero; where it is nowhere, the last place.
  public let high: Int
  /// Places that were looked at, in order.
  public let visited: [Int]

  /// Searches.
  ///
  /// - Parameters:
  ///   - count: places 0 ..< count, two or more
  ///   - isAbove: whether the quantity is above zero at a place; asked once for each place, as few times as it takes
  public init(count: Int, isAbove: (Int) throws -> Bool) rethrows {
    var visited: [Int] = []
    func ask(_ place: Int) throws -> Bool {
      visited.append(place)
      return try isAbove(place)
    }
    var (low, high) = (0, max(0, count - 1))
    if try !ask(low) {
      self.init(outcome: .alwaysBelow, low: low, high: low, visited: visited)
      return
    }
    if high > low, try !ask(high) {
      while high - low > 1 {
        let middle = (low + high) / 2
        if try ask(middle) { low = middle } else { high = middle }
      }
      self.init(outcome: .crossing, low: low, high: high, visited: visited)
    } else {
      self.init(outcome: .alwaysAbove, low: high, high: high, visited: visited)
    }
  }

  private init(outcome: Outcome, low: Int, high: Int, visited: [Int]) {
    (self.outcome, self.low, self.high, self.visited) = (outcome, low, high, visited)
  }
}
