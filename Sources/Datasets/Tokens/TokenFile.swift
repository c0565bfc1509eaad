import Checkpoints
import Foundation
import Support

/// The ids of a text, in a file that is mapped into memory, so that a text of any size takes none. The file holds ids
/// of two bytes, or of four if the vocabulary needs them, then a trailer of 64 bytes (mark, width, count, vocabulary,
/// fingerprint).
///
/// Files are kept in a cache. Their names depend on the text's path, size and modification time and on the tokenizer's
/// fingerprint. A file that is missing, damaged or of another text is made again.
public struct TokenFile: Sendable {
  /// The number of ids.
  public let count: Int
  /// Every id is below this.
  public let vocabularySize: Int
  private let width: Int
  private let data: Data

  private static let mark = Array("VLYTOK01".utf8)
  private static let trailer = 64

  /// The ids of a text, from the cache or encoded now.
  ///
  /// - Parameters:
  ///   - file: the text, in UTF-8
  ///   - tokenizer: how it becomes ids
  ///   - cache: the folder of the cache; made if it does not exist
  ///   - block: about how many bytes of text to encode at a time
  /// - Throws: `DatasetError` when the text cannot be read, or the cache cannot be written.
  public init(encoding file: URL, with tokenizer: Tokenizer, cache: URL = Self.usualCache, block: Int = 1 << 24) throws
  {
    let fingerprint = try Self.fingerprint(file, tokenizer)
    let place = cache.appendingPathComponent(
      "\(file.deletingPathExtension().lastPathComponent)-"
        + fingerprint.prefix(8).map { String(format: "%02x", $0) }.joined() + ".tokens")
    if let found = Self(reading: place, fingerprint: fingerprint) {
      self = found
      return
    }
    do {
      try FileManager.default.createDirectory(at: cache, withIntermediateDirectories: true)
      try Self.write(file, tokenizer, fingerprint, block: block, to: place)
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(
        file: place.path, "the tokens of \(file.path) cannot be written: \(error)",
        remedy: "set VALLEY_DATA to a folder that can be written, on a disk with room")
    }
    guard let made = Self(reading: place, fingerprint: fingerprint) else {
      throw DatasetError(file: place.path, "is not what was written there", remedy: "check the disk")
    }
    self = made
  }

  /// The folder for all texts: `tokens` in the folder for all data.
  public static var usualCache: URL { KnownDataset.usualFolder.appendingPathComponent("tokens") }

  /// Maps a file; nil if it is missing or damaged, or has another fingerprint.
  init?(reading place: URL, fingerprint: [UInt8]) {
    guard let data = try? Data(contentsOf: place, options: .alwaysMapped), data.count >= Self.trailer else {
      return nil
    }
    let numbers = data.suffix(Self.trailer).withUnsafeBytes { trailer -> (width: Int, count: Int, vocabulary: Int)? in
      guard trailer[..<8].elementsEqual(Self.mark), trailer[32...].elementsEqual(fingerprint) else { return nil }
      func number(_ index: Int) -> Int? {
        Int(exactly: UInt64(littleEndian: trailer.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)))
      }
      guard let width = number(1), let count = number(2), let vocabulary = number(3) else { return nil }
      return (width, count, vocabulary)
    }
    guard let (width, count, vocabulary) = numbers, width == 2 || width == 4,
      count.multipliedReportingOverflow(by: width) == (data.count - Self.trailer, false)
    else { return nil }
    (self.data, self.width, self.count, vocabularySize) = (data, width, count, vocabulary)
  }

  /// The ids of a range, which must lie in 0 ..< `count`.
  public func ids(_ range: Range<Int>) -> [Int] {
    data.withUnsafeBytes { bytes in
      range.map { place in
        width == 2
          ? Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * place, as: UInt16.self)))
          : Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * place, as: UInt32.self)))
      }
    }
  }

  // MARK: Writing

  private static func fingerprint(_ file: URL, _ tokenizer: Tokenizer) throws -> [UInt8] {
    let values: [FileAttributeKey: Any]
    do {
      values = try FileManager.default.attributesOfItem(atPath: file.path)
    } catch {
      throw DatasetError(file: file.path, "no such file", remedy: "name a file of plain text")
    }
    guard
      values[.type] as? FileAttributeType == .typeRegular || values[.type] as? FileAttributeType == .typeSymbolicLink
    else { throw DatasetError(file: file.path, "is not a text file", remedy: "name a file of plain text") }
    let resolved = file.resolvingSymlinksInPath()
    let found = (try? FileManager.default.attributesOfItem(atPath: resolved.path)) ?? values
    let time = (found[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
    let size = found[.size] as? Int ?? 0
    return Digest.sha256(Data("\(resolved.path)\n\(size)\n\(time)\n\(tokenizer.fingerprint)".utf8))
  }

  private static func write(
    _ file: URL, _ tokenizer: Tokenizer, _ fingerprint: [UInt8], block: Int, to place: URL
  ) throws {
    let text: Data
    do {
      text = try Data(contentsOf: file, options: .mappedIfSafe)
    } catch {
      throw DatasetError(file: file.path, "cannot be read: \(error.localizedDescription)")
    }
    let width = tokenizer.vocabularySize <= 1 << 16 ? 2 : 4
    var encoder = Tokenizer.Encoder(tokenizer)
    var count = 0
    let output = try AtomicFile(place.path)
    try text.withUnsafeBytes { raw in
      let bytes = raw.bindMemory(to: UInt8.self)
      var ids: [Int32] = []
      var start = 0
      while start < bytes.count {
        let end = tokenizer.dividesAtLines ? lineEnd(bytes, after: start + block) : bytes.count
        ids.removeAll(keepingCapacity: true)
        encoder.encode(UnsafeBufferPointer(rebasing: bytes[start..<end]), into: &ids)
        count += ids.count
        if width == 2 {
          try ids.map { UInt16(truncatingIfNeeded: $0).littleEndian }.withUnsafeBytes { try output.write($0) }
        } else {
          try ids.map(\.littleEndian).withUnsafeBytes { try output.write($0) }
        }
        start = end
      }
    }
    var trailer = mark
    for number in [width, count, tokenizer.vocabularySize] {
      withUnsafeBytes(of: UInt64(number).littleEndian) { trailer.append(contentsOf: $0) }
    }
    try output.write(Data(trailer + fingerprint))
    try output.commit()
  }

  /// The first place at or after `place` where a line feed follows a printable character of ASCII; otherwise the end.
  private static func lineEnd(_ bytes: UnsafeBufferPointer<UInt8>, after place: Int) -> Int {
    var place = place
    while place < bytes.count {
      if bytes[place] == UInt8(ascii: "\n"), (0x21..<0x7F).contains(bytes[place - 1]) { return place }
      place += 1
    }
    return bytes.count
  }
}
