import Foundation

/// An append-only file of JSON rows, one per line, such as `metrics.jsonl`.
///
/// A row is either complete or missing: a line that a crash tore is dropped when the file is opened, and a row that a
/// full disk cut short is removed. A run that resumes from a checkpoint truncates the file to the `length` it had then,
/// so that the file ends up with the same bytes as without the interruption.
public final class RowFile: @unchecked Sendable {
  /// The file.
  public let url: URL
  private let descriptor: Int32
  private let mutex = NSLock()
  private var size = 0
  private let encoder = RowFile.makeEncoder()

  /// Opens or creates a file for appending.
  ///
  /// - Throws: `FileError` if the system refuses.
  public init(_ url: URL) throws {
    self.url = url
    descriptor = retrying { open(url.path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644) }
    guard descriptor >= 0 else { throw FileError(cannot: "open", url.path) }
    do {
      try dropTornLine()
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  /// The length of the file in bytes, always a whole number of lines.
  public var length: Int { mutex.withLock { size } }

  /// Appends a row as JSON with sorted keys. NaN and infinities are written as text.
  ///
  /// - Throws: `FileError` if the system refuses, and whatever encoding the row throws.
  public func append(_ row: some Encodable) throws {
    try mutex.withLock {
      var line = try encoder.encode(row)
      line.append(UInt8(ascii: "\n"))
      do {
        try writeAll(line, to: descriptor, path: url.path)
      } catch {
        _ = ftruncate(descriptor, off_t(size))
        throw error
      }
      size += line.count
    }
  }

  /// Waits until all rows are on the disk.
  ///
  /// - Throws: `FileError` if the system refuses.
  public func synchronise() throws {
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw FileError(cannot: "flush", url.path) }
  }

  /// Drops everything after the first `length` bytes.
  ///
  /// - Throws: `FileError` if the file is shorter or would end within a line.
  public func truncate(to length: Int) throws {
    try mutex.withLock {
      guard length >= 0, length <= size, try length == 0 || byte(at: length - 1) == UInt8(ascii: "\n") else {
        throw FileError(
          url.path,
          "has \(size) bytes and cannot be cut to the \(length) its checkpoint recorded; the file was changed by hand")
      }
      guard retrying({ ftruncate(descriptor, off_t(length)) }) == 0 else {
        throw FileError(cannot: "truncate", url.path)
      }
      size = length
    }
  }

  private func byte(at offset: Int) throws -> UInt8 {
    var byte: UInt8 = 0
    guard retrying({ pread(descriptor, &byte, 1, off_t(offset)) }) == 1 else {
      throw FileError(cannot: "read", url.path)
    }
    return byte
  }

  private func dropTornLine() throws {
    let end = lseek(descriptor, 0, SEEK_END)
    // A pipe or a device has no end to look at.
    guard end > 0 else { return }
    var kept = Int(end)
    while try kept > 0 && byte(at: kept - 1) != UInt8(ascii: "\n") { kept -= 1 }
    if kept < Int(end) {
      guard retrying({ ftruncate(descriptor, off_t(kept)) }) == 0 else { throw FileError(cannot: "truncate", url.path) }
    }
    size = kept
  }

  /// The encoder of rows: keys are sorted, and NaN and infinities are text.
  package static func makeEncoder() -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return encoder
  }

  /// The decoder of rows: NaN and infinities are text.
  public static func makeDecoder() -> JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return decoder
  }

  /// The rows of a file whose lines' bytes satisfy `isWanted`. A missing file has none, and a torn last line is not a
  /// row.
  ///
  /// - Throws: `FileError` naming a line that is not such a row.
  public static func rows<Row: Decodable>(
    _ type: Row.Type, in url: URL, where isWanted: (Data) -> Bool = { _ in true }
  ) throws -> [Row] {
    guard FileManager.default.fileExists(atPath: url.path) else { return [] }
    let data = try Data(contentsOf: url, options: .mappedIfSafe)
    guard let end = data.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
    let decoder = makeDecoder()
    var rows: [Row] = []
    for (index, line) in data[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .enumerated()
    where isWanted(line) {
      do {
        rows.append(try decoder.decode(Row.self, from: line))
      } catch {
        throw FileError(url.path, "line \(index + 1) is not a \(Row.self): \(brief(error))")
      }
    }
    return rows
  }
}
