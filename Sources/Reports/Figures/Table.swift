import Foundation

/// A table of named columns, written as comma-separated values.
struct Table: Sendable {
  var columns: [String]
  var rows: [[JSON]]

  /// RFC 4180: lines end in CR LF; a field with a comma, a quote or a line break stands in quotes, its quotes doubled.
  /// A missing value is an empty field; numbers are written so that they read back exactly.
  /// Columns whose name starts with an underscore serve the drawing only and are left out.
  func csv() -> String {
    let kept = columns.indices.filter { !columns[$0].hasPrefix("_") }
    let lines = [kept.map { Self.quoted(columns[$0]) }] + rows.map { row in kept.map { Self.field(row[$0]) } }
    return lines.map { $0.joined(separator: ",") + "\r\n" }.joined()
  }

  /// The rows as objects, for Vega-Lite.
  func values() -> JSON {
    .array(rows.map { row in .object(Dictionary(zip(columns, row)) { $1 }) })
  }

  private static func field(_ value: JSON) -> String {
    switch value {
    case .null, .array, .object: ""
    case .bool(let value): String(value)
    case .int(let value): String(value)
    case .number(let value): value.isFinite ? String(value) : ""
    case .string(let value): quoted(value)
    }
  }

  private static func quoted(_ text: String) -> String {
    // By scalars: as a Character, CR LF is neither CR nor LF.
    let special = text.unicodeScalars.contains { ",\"\r\n".unicodeScalars.contains($0) }
    return special ? "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : text
  }
}
