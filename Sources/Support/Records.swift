import Foundation

extension Date {
  /// Now, in the whole seconds that ISO 8601 text keeps.
  package static var currentSecond: Date { Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded(.down)) }
}

extension JSONEncoder {
  /// Writes small files that people may read too.
  package static var record: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    return encoder
  }
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
