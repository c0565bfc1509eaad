import Foundation

extension Date {
  /// Now, in the whole seconds that ISO 8601 text keeps.
  package static var currentSecond: Date { Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded(.down)) }
}

extension JSONEncoder {
  /// Writes what people may read too: on lines of its own, keys sorted, NaN and infinities as text.
  package static var record: JSONEncoder {
    let encoder = RowFile.makeEncoder()
    encoder.outputFormatting.insert(.prettyPrinted)
    encoder.dateEncodingStrategy = .iso8601
    return encoder
  }
}

/// A value as one line of JSON, keys sorted.
package func jsonText(_ value: some Encodable) throws -> String {
  String(decoding: try RowFile.makeEncoder().encode(value), as: UTF8.self)
}

extension JSONDecoder {
  /// Reads what `JSONEncoder.record` writes.
  package static var record: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    return decoder
  }
}

/// A decoding error on one line.
package func brief(_ error: any Error) -> String {
  switch error as? DecodingError {
  case .keyNotFound(let key, _): "the key \(key.stringValue) is missing"
  case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
    ([context.codingPath.map(\.stringValue).joined(separator: "."), context.debugDescription].filter { !$0.isEmpty })
      .joined(separator: ": ")
  default: "\(error)"
  }
}
