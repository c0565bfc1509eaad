/// The numbers that a value may be, and how that is said.
package struct Bounds<Number: Comparable & Sendable>: Sendable {
  let contains: @Sendable (Number) -> Bool
  /// In words; `noun` is `a number` or `a whole number`.
  let words: @Sendable (_ noun: String) -> String

  /// - Parameter most: a bound that goes without saying
  package static func above(_ least: Number, upTo most: Number? = nil) -> Bounds {
    Bounds(contains: { $0 > least && most.map($0.isAtMost) ?? true }, words: { "\($0) above \(short(least))" })
  }

  /// - Parameter most: a bound that goes without saying
  package static func atLeast(_ least: Number, upTo most: Number? = nil) -> Bounds {
    Bounds(contains: { $0 >= least && most.map($0.isAtMost) ?? true }) { noun in
      short(least) == "0" ? "\(noun), 0 or more" : "\(noun) of at least \(short(least))"
    }
  }

  package static func within(_ range: ClosedRange<Number>) -> Bounds {
    Bounds(contains: range.contains) { "\($0) between \(short(range.lowerBound)) and \(short(range.upperBound))" }
  }

  /// At least the lower bound, and below the upper.
  package static func within(_ range: Range<Number>) -> Bounds {
    Bounds(contains: range.contains) {
      "\($0) of at least \(short(range.lowerBound)) and below \(short(range.upperBound))"
    }
  }

  private static func short(_ number: Number) -> String {
    (number as? Double).map(shortText) ?? "\(number)"
  }
}

extension Comparable {
  fileprivate func isAtMost(_ other: Self) -> Bool { self <= other }
}

/// A number without the decimals of a whole one: `1`, `0.5`, `1e-08`.
package func shortText(_ number: Double) -> String { Int(exactly: number).map(String.init) ?? "\(number)" }
