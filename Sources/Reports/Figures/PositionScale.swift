import Foundation
import Support

/// How positions lie along a horizontal axis: logarithmic for positive numbers over a wide range, linear for a narrow
/// one, and equally spaced for words and for numbers with a zero among them.
struct PositionScale {
  /// All positions, or none where some are words.
  let numbers: [Double]
  /// The distinct positions as text, in their order.
  let texts: [String]
  let axis: Axis
  private let textOfNumber: [Double: String]

  init(_ positions: [(number: Double?, text: String)], axis: Axis) {
    self.axis = axis
    let known = positions.compactMap { position in position.number.map { (number: $0, text: position.text) } }
    numbers = known.count == positions.count ? known.map(\.number) : []
    let sorted = numbers.isEmpty ? positions.map(\.text) : known.sorted { $0.number < $1.number }.map(\.text)
    textOfNumber = Dictionary(known.map { ($0.number, $0.text) }) { first, _ in first }
    texts = sorted.distinct()
  }

  var isNumeric: Bool { (numbers.min() ?? 0) > 0 }

  var isLogarithmic: Bool {
    guard isNumeric, let low = numbers.min(), let high = numbers.max() else { return false }
    return high / low >= 3 || axis.isNoise
  }

  func text(_ number: Double) -> String { textOfNumber[number] ?? short(number) }

  /// How far along the axis a position is, from 0 to 1.
  func fraction(_ number: Double) -> Double {
    guard isNumeric, let low = numbers.min(), let high = numbers.max(), high > low else {
      return Double(texts.firstIndex(of: text(number)) ?? 0) / Double(max(texts.count - 1, 1))
    }
    return isLogarithmic ? log(number / low) / log(high / low) : (number - low) / (high - low)
  }

  func value(_ number: Double?, _ text: String) -> Table.Cell { isNumeric ? .number(number) : .text(text) }

  /// The position at which a point is drawn: the lines are moved apart by a little, lest their bars hide one another.
  func dodged(_ configuration: Configuration, _ names: [String], _ name: String) -> Table.Cell {
    guard isNumeric, let number = axis.number(configuration), let low = numbers.min(), let high = numbers.max(),
      !axis.isNoise, high > low, let index = names.firstIndex(of: name)
    else { return value(axis.number(configuration), axis.text(configuration)) }
    // All of them stay within the margin of the axis.
    let step = min(0.012, 0.08 / Double(max(names.count - 1, 1)))
    let shift = step * (Double(index) - Double(names.count - 1) / 2)
    return .number(isLogarithmic ? number * pow(high / low, shift) : number + shift * (high - low))
  }

  func encoding(title: String) -> JSON {
    guard isNumeric else {
      return [
        "field": "x", "type": "ordinal", "title": .text(title), "sort": nil,
        "scale": ["type": "point", "domain": JSON(texts), "padding": 0.5],
        "axis": ["labelAngle": 0, "labelOverlap": true, "labelLimit": .number(440 / max(texts.count, 1))],
      ]
    }
    let distinct = Set(numbers).sorted()
    guard isLogarithmic else {
      return [
        "field": "x", "type": "quantitative", "title": .text(title),
        "scale": ["domain": JSON(paddedDomain(numbers)), "nice": false, "zero": false],
        "axis": [
          "values": JSON(distinct.count <= 8 ? distinct : []), "format": .text(valueFormat(distinct)),
          "labelOverlap": true,
        ],
      ]
    }
    let domain = paddedLogDomain(numbers)
    // At most eight swept values are named themselves; S̃ takes values that nobody chose.
    return Channel.logarithmic(
      "x", title, domain, ticks: axis.isNoise || distinct.count > 8 ? nil : distinct,
      format: axis.isNoise ? logFormat(domain) : valueFormat(distinct))
  }
}
