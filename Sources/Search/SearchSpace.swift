import Foundation

/// What is searched: a box of named numbers, whole numbers and choices.
public struct SearchSpace: Sendable, Hashable, Codable {
  /// How a number's range is gone through.
  public enum Scale: String, Sendable, Hashable, Codable, CaseIterable {
    /// Equal differences count as equal steps.
    case linear
    /// Equal ratios count as equal steps; the range is above 0.
    case log
  }

  /// One thing to choose.
  public struct Dimension: Sendable, Hashable, Codable {
    /// What may be chosen in this dimension.
    public enum Kind: Sendable, Hashable, Codable {
      case number(from: Double, to: Double, scale: Scale)
      case integer(from: Int, to: Int, scale: Scale)
      /// One of so many things that have no order; the point holds its index.
      case choice(of: Int)
    }

    /// What messages and results call it.
    public let name: String
    /// What may be chosen.
    public let kind: Kind

    /// A real number within a range.
    public static func number(_ name: String, from lower: Double, to upper: Double, scale: Scale = .linear) -> Dimension
    {
      Dimension(name: name, kind: .number(from: lower, to: upper, scale: scale))
    }

    /// A whole number within a range, both ends included.
    public static func integer(_ name: String, from lower: Int, to upper: Int, scale: Scale = .linear) -> Dimension {
      Dimension(name: name, kind: .integer(from: lower, to: upper, scale: scale))
    }

    /// One of `count` things that have no order.
    public static func choice(_ name: String, of count: Int) -> Dimension {
      Dimension(name: name, kind: .choice(of: count))
    }
  }

  /// What is chosen, in the order of a point's values.
  public let dimensions: [Dimension]

  /// - Throws: `SearchError` for no dimensions, a name given twice, and ranges that hold nothing to choose from.
  public init(_ dimensions: [Dimension]) throws {
    guard !dimensions.isEmpty else { throw SearchError("there is nothing to search: the space has no dimensions") }
    var names: Set<String> = []
    for dimension in dimensions {
      guard names.insert(dimension.name).inserted else { throw SearchError("\(dimension.name): is given twice") }
      if let problem = dimension.problem { throw SearchError("\(dimension.name): \(problem)") }
    }
    self.dimensions = dimensions
  }
}

/// A space that cannot be searched.
public struct SearchError: Error, CustomStringConvertible, Sendable {
  /// Which dimension is wrong, and how.
  public let description: String
  init(_ description: String) { self.description = description }
}

extension SearchSpace.Dimension {
  /// What is wrong with the range, if something is.
  public var problem: String? {
    func problem(_ lower: Double, _ upper: Double, _ scale: SearchSpace.Scale, least: Double) -> String? {
      let text = "\(Self.short(lower)) … \(Self.short(upper))"
      guard lower.isFinite, upper.isFinite, (upper - lower).isFinite else {
        return "the range \(text) must have finite ends"
      }
      guard lower < upper else { return "the range \(text) is empty; its lower end must be below its upper end" }
      guard scale == .linear || lower >= least else {
        return
          "the range \(text) is gone through in ratios (log), so it must \(least == 1 ? "start at 1" : "lie above 0")"
      }
      return nil
    }
    switch kind {
    case .number(let lower, let upper, let scale):
      return problem(lower, upper, scale, least: .leastNormalMagnitude)
    case .integer(let lower, let upper, let scale):
      guard lower.magnitude < 1 << 50, upper.magnitude < 1 << 50 else { return "the range is too large" }
      return problem(Double(lower), Double(upper), scale, least: 1)
    case .choice(let count):
      return (2...1000).contains(count) ? nil : "has \(count) choices; expected 2 to 1000"
    }
  }

  /// The value in the middle of the range; of choices the first.
  public var middle: Double { if case .choice = kind { 0 } else { value([0.5]) } }

  private static func short(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
  }

  /// How many coordinates of the unit cube stand for it: one, or one for each of several choices.
  var width: Int { if case .choice(let count) = kind { count } else { 1 } }

  /// The value that the coordinates stand for: a number, or the index of the choice whose coordinate is largest.
  func value(_ unit: ArraySlice<Double>) -> Double {
    let u = min(1, max(0, unit.first ?? 0))
    switch kind {
    case .number(let lower, let upper, .linear): return min(upper, max(lower, lower + u * (upper - lower)))
    case .number(let lower, let upper, .log):
      return min(upper, max(lower, exp(Foundation.log(lower) + u * Foundation.log(upper / lower))))
    case .integer(let lower, let upper, let scale):
      // Every whole number has a cell of its own, half a step to either side.
      let (low, high) = (Double(lower) - 0.5, Double(upper) + 0.5)
      let place = scale == .linear ? low + u * (high - low) : low * pow(high / low, u)
      return min(Double(upper), max(Double(lower), place.rounded()))
    case .choice:
      let best = unit.indices.max { (unit[$0], -$0) < (unit[$1], -$1) } ?? unit.startIndex
      return Double(best - unit.startIndex)
    }
  }

  /// The coordinates of a value: the middle of a whole number's cell, 1 at the chosen one among several.
  func unit(_ value: Double) -> [Double] {
    let u: Double
    switch kind {
    case .number(let lower, let upper, .linear): u = (value - lower) / (upper - lower)
    case .number(let lower, let upper, .log):
      u = Foundation.log(max(value, .leastNormalMagnitude) / lower) / Foundation.log(upper / lower)
    case .integer(let lower, let upper, let scale):
      let (low, high) = (Double(lower) - 0.5, Double(upper) + 0.5)
      u =
        scale == .linear
        ? (value - low) / (high - low) : Foundation.log(max(value, low) / low) / Foundation.log(high / low)
    case .choice(let count): return (0..<count).map { Double($0) == value ? 1 : 0 }
    }
    return [u.isFinite ? min(1, max(0, u)) : 0.5]
  }
}

extension SearchSpace {
  /// Coordinates of the unit cube that the space is searched in.
  var width: Int { dimensions.reduce(0) { $0 + $1.width } }

  /// The dimension of each coordinate.
  var owners: [Int] { dimensions.indices.flatMap { [Int](repeating: $0, count: dimensions[$0].width) } }

  func point(_ unit: [Double]) -> [Double] {
    var start = 0
    return dimensions.map { dimension in
      defer { start += dimension.width }
      return dimension.value(unit[start..<(start + dimension.width)])
    }
  }

  func unit(_ point: [Double]) -> [Double] { zip(dimensions, point).flatMap { $0.unit($1) } }

  /// The coordinates of the point that `unit` stands for: the same for all coordinates that stand for one point.
  func snapped(_ unit: [Double]) -> [Double] { self.unit(point(unit)) }
}
