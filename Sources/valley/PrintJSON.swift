import Foundation
import Support

/// Prints a value as JSON for other programs.
func printJSON(_ value: some Encodable) throws {
  print(String(decoding: try JSONEncoder.record.encode(value), as: UTF8.self))
}

/// Writes a value as `printJSON` prints it.
func writeJSON(_ value: some Encodable, to file: URL) throws {
  try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
  try writeAtomically(try JSONEncoder.record.encode(value) + Data("\n".utf8), to: file.path)
}
