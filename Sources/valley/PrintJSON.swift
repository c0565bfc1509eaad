import Checkpoints
import Foundation
import Support

/// Prints a value as JSON for other programs.
func printJSON(_ value: some Encodable) throws {
  print(String(decoding: try readableJSON(value), as: UTF8.self))
}

/// Writes a value as `printJSON` prints it.
func writeJSON(_ value: some Encodable, to file: URL) throws {
  try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
  try writeAtomically(try readableJSON(value) + Data("\n".utf8), to: file.path)
}

private func readableJSON(_ value: some Encodable) throws -> Data {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  encoder.dateEncodingStrategy = .iso8601
  encoder.nonConformingFloatEncodingStrategy = .convertToString(
    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
  return try encoder.encode(value)
}
