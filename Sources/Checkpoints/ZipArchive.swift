import Foundation

/// The entries of a zip file by name, as PyTorch writes them: stored, not compressed, possibly beyond 4 GiB (ZIP64).
///
/// Every number is checked against the file's size before it is used.
struct ZipArchive {
  struct Entry {
    let name: String
    /// Where its bytes are in the file.
    let range: Range<Int>
    let isCompressed: Bool
  }
  /// In the order of the directory.
  private(set) var entries: [Entry] = []

  struct Failure: Error { var message: String }

  private let bytes: UnsafeRawBufferPointer

  static func isZip(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count >= 4 && bytes.prefix(4).elementsEqual([0x50, 0x4B, 0x03, 0x04])
  }

  init(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
    self.bytes = bytes
    let directory = try centralDirectory()
    var position = directory.range.lowerBound
    for _ in 0..<directory.count {
      position = try readEntry(at: position, end: directory.range.upperBound)
    }
  }

  private func load<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int) throws(Failure) -> Int {
    guard offset >= 0, offset <= bytes.count - MemoryLayout<Number>.size else {
      throw Failure(message: "is cut off or damaged: its directory points outside the file")
    }
    guard let value = Int(exactly: Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self)))
    else { throw Failure(message: "is damaged: its directory holds an impossible number") }
    return value
  }

  private func centralDirectory() throws(Failure) -> (range: Range<Int>, count: Int) {
    // The end record is 22 bytes and a comment of at most 65,535.
    let earliest = max(0, bytes.count - 22 - 65_535)
    var end = bytes.count - 22
    while end >= earliest, try load(UInt32.self, at: end) != 0x0605_4B50 { end -= 1 }
    guard end >= earliest else {
      throw Failure(message: "is cut off: the directory that ends a PyTorch file (a zip archive) is missing")
    }
    var count = try load(UInt16.self, at: end + 10)
    var size = try load(UInt32.self, at: end + 12)
    var start = try load(UInt32.self, at: end + 16)
    if end >= 20, try load(UInt32.self, at: end - 20) == 0x0706_4B50 {
      let record = try load(UInt64.self, at: end - 20 + 8)
      guard try load(UInt32.self, at: record) == 0x0606_4B50 else {
        throw Failure(message: "is damaged: its ZIP64 directory is not where it should be")
      }
      count = try load(UInt64.self, at: record + 32)
      size = try load(UInt64.self, at: record + 40)
      start = try load(UInt64.self, at: record + 48)
    }
    // An entry of the directory takes at least 46 bytes.
    guard start <= end, size <= end - start, count <= size / 46 else {
      throw Failure(message: "is damaged: its directory of \(count) entries does not fit into the file")
    }
    return (start..<(start + size), count)
  }

  private mutating func readEntry(at position: Int, end: Int) throws(Failure) -> Int {
    guard position <= end - 46, try load(UInt32.self, at: position) == 0x0201_4B50 else {
      throw Failure(message: "is damaged: an entry of its directory is not where it should be")
    }
    let flags = try load(UInt16.self, at: position + 8)
    let method = try load(UInt16.self, at: position + 10)
    var packed = try load(UInt32.self, at: position + 20)
    var size = try load(UInt32.self, at: position + 24)
    let nameLength = try load(UInt16.self, at: position + 28)
    let extraLength = try load(UInt16.self, at: position + 30)
    let commentLength = try load(UInt16.self, at: position + 32)
    var header = try load(UInt32.self, at: position + 42)
    let extra = position + 46 + nameLength
    let next = extra + extraLength + commentLength
    guard next <= end else { throw Failure(message: "is damaged: an entry of its directory runs over its end") }
    guard let name = String(validating: bytes[(position + 46)..<extra], as: UTF8.self) else {
      throw Failure(message: "is damaged: the name of an entry is not UTF-8")
    }
    // ZIP64: what does not fit into 32 bits is in field 1, in this order.
    var field = extra
    while field + 4 <= extra + extraLength {
      let length = try load(UInt16.self, at: field + 2)
      if try load(UInt16.self, at: field) == 1 {
        var value = field + 4
        let limit = min(field + 4 + length, extra + extraLength)
        func wide(_ number: inout Int) throws(Failure) {
          guard number == 0xFFFF_FFFF, value + 8 <= limit else { return }
          number = try load(UInt64.self, at: value)
          value += 8
        }
        try wide(&size)
        try wide(&packed)
        try wide(&header)
      }
      field += 4 + length
    }
    guard flags & 1 == 0 else { throw Failure(message: "\(name) is encrypted") }
    guard try load(UInt32.self, at: header) == 0x0403_4B50 else {
      throw Failure(message: "is damaged: \(name) is not where the directory says")
    }
    let start = try header + 30 + load(UInt16.self, at: header + 26) + load(UInt16.self, at: header + 28)
    guard start <= bytes.count, packed <= bytes.count - start else {
      throw Failure(message: "is cut off: \(name) ends beyond the file's \(bytes.count) bytes")
    }
    entries.append(Entry(name: name, range: start..<(start + packed), isCompressed: method != 0 || packed != size))
    return next
  }
}
