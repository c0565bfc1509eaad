import Support

/// JSON written with Swift literals: the shape of a Vega-Lite spec, with no model of the whole grammar. Objects have
/// their keys sorted, so that equal values are equal bytes; a number that is not finite becomes null, which Vega-Lite
/// draws as a gap.
extension JSON: ExpressibleByStringInterpolation, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  /// A text.
  public init(stringLiteral value: String) { self = .text(value) }
  /// A number.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// A whole number.
  public init(integerLiteral value: Int) { self = .number(value) }
  /// True or false.
  public init(booleanLiteral value: Bool) { self = .truth(value) }
  /// A list.
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  /// An object; the last of equal keys counts.
  public init(dictionaryLiteral elements: (String, JSON)...) { self.init(Dictionary(elements) { $1 }) }
  /// Null.
  public init(nilLiteral: ()) { self = .null }

  init(_ values: [JSON]) { self = .array(values) }
  init(_ values: [Double]) { self = .array(values.map { .number($0) }) }
  init(_ values: [String]) { self = .array(values.map { .text($0) }) }
  init(_ fields: [String: JSON]) {
    self = .object(fields.sorted { $0.key < $1.key }.map { Member($0.key, $0.value) })
  }

  static func number(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }
  static func text(_ value: String?) -> JSON { value.map { .text($0) } ?? .null }

  /// This object with the fields of `other` added; `other` wins.
  func merging(_ other: [String: JSON]) -> JSON {
    let own = (members ?? []).map { ($0.name, $0.value) }
    return JSON(Dictionary(own) { $1 }.merging(other) { $1 })
  }
}
