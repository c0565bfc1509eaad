import Foundation
import Support

/// A table of named columns, written as comma-separated values.
///
/// Columns whose name starts with an underscore serve the drawing only and are left out of the file.
public struct Table: Sendable {
  /// The names of the columns, with units where there is one.
  public var columns: [String]
  /// A value for each column.
  public var rows: [[Cell]]

  /// A table whose rows have a value for each column.
  public init(columns: [String], rows: [[Cell]]) { (self.columns, self.rows) = (columns, rows) }

  /// RFC 4180: lines end in CR LF; a field with a comma, a quote or a line break stands in quotes, its quotes doubled.
  /// A missing value is an empty field; numbers are written so that they read back exactly.
  func csv() -> String {
    let kept = columns.indices.filter { !columns[$0].hasPrefix("_") }
    let lines = [kept.map { Self.quoted(columns[$0]) }] + rows.map { row in kept.map { Self.field(row[$0]) } }
    return lines.map { $0.joined(separator: ",") + "\r\n" }.joined()
  }

  /// The rows as objects, for Vega-Lite.
  func values() -> JSON { JSON(rows.map { JSON(Dictionary(zip(columns, $0.map(\.json))) { $1 }) }) }

  private static func field(_ cell: Cell) -> String {
    switch cell {
    case .missing: ""
    case .truth(let value): String(value)
    case .whole(let value): String(value)
    case .number(let value): value.isFinite ? String(value) : ""
    case .text(let value): quoted(value)
    }
  }

  private static func quoted(_ text: String) -> String {
    // By scalars: as a Character, CR LF is neither CR nor LF.
    let special = text.unicodeScalars.contains { ",\"\r\n".unicodeScalars.contains($0) }
    return special ? "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : text
  }
}

extension Table {
  /// A value of a table. Literals stand for themselves, and nil for what is missing.
  public enum Cell: Hashable, Sendable {
    case missing
    case truth(Bool)
    case whole(Int)
    /// Missing where it is not finite.
    case number(Double)
    case text(String)

    /// A whole number.
    public static func number(_ value: Int) -> Cell { .whole(value) }
    /// A number, or nothing.
    public static func number(_ value: Double?) -> Cell { value.map { .number($0) } ?? .missing }

    var json: JSON {
      switch self {
      case .missing: .null
      case .truth(let value): .truth(value)
      case .whole(let value): .number(value)
      case .number(let value): .number(value)
      case .text(let value): .text(value)
      }
    }
  }
}

extension Table.Cell: ExpressibleByStringInterpolation, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
  /// A text.
  public init(stringLiteral value: String) { self = .text(value) }
  /// A number.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// A whole number.
  public init(integerLiteral value: Int) { self = .whole(value) }
  /// True or false.
  public init(booleanLiteral value: Bool) { self = .truth(value) }
  /// Nothing.
  public init(nilLiteral: ()) { self = .missing }
}
