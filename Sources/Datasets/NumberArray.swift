/// Numbers as a file holds them: element type, shape and little-endian bytes.
struct NumberArray: Sendable {
  enum Element: Sendable {
    case int8, uint8, int16, uint16, int32, uint32, int64, uint64, float32, float64

    var size: Int {
      switch self {
      case .int8, .uint8: 1
      case .int16, .uint16: 2
      case .int32, .uint32, .float32: 4
      case .int64, .uint64, .float64: 8
      }
    }
  }

  var element: Element
  var shape: [Int]
  /// Whether the first index runs fastest, as in MATLAB and Fortran, instead of the last.
  var isColumnMajor: Bool
  /// The elements, and whatever else was read with them.
  var storage: [UInt8]
  /// Where in `storage` the elements lie.
  var range: Range<Int>

  /// "2 × 3 uint8"
  var description: String { shape.map(String.init).joined(separator: " × ") + " \(element)" }

  /// The product of sizes; nil if it has more than 62 bits or a size is negative.
  static func count(_ shape: [Int]) -> Int? {
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard size >= 0, !overflow, product < 1 << 62 else { return nil }
      count = product
    }
    return count
  }

  /// All elements in the file's order, as whole numbers.
  /// - Throws: `DatasetError` when one is not whole.
  func integers(file: String) throws -> [Int] {
    try storage[range].withUnsafeBytes { bytes in
      func all<T>(_ type: T.Type, _ whole: (T) -> Int?) throws -> [Int] {
        try (0..<(bytes.count / MemoryLayout<T>.size)).map { index in
          let value = bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<T>.size, as: type)
          guard let number = whole(value) else {
            throw DatasetError(
              file: file, "element \(index) is \(value); expected a whole number", remedy: "get it again")
          }
          return number
        }
      }
      return switch element {
      case .int8: try all(Int8.self) { Int($0) }
      case .uint8: try all(UInt8.self) { Int($0) }
      case .int16: try all(Int16.self) { Int(Int16(littleEndian: $0)) }
      case .uint16: try all(UInt16.self) { Int(UInt16(littleEndian: $0)) }
      case .int32: try all(Int32.self) { Int(Int32(littleEndian: $0)) }
      case .uint32: try all(UInt32.self) { Int(UInt32(littleEndian: $0)) }
      case .int64: try all(Int64.self) { Int(Int64(littleEndian: $0)) }
      case .uint64: try all(UInt64.self) { Int(exactly: UInt64(littleEndian: $0)) }
      case .float32: try all(Float.self) { Int(exactly: $0) }
      case .float64: try all(Double.self) { Int(exactly: $0) }
      }
    }
  }
}

/// Reads little-endian numbers from a file, after checking that the file is long enough for each.
struct ByteReader {
  let bytes: UnsafeRawBufferPointer
  let file: String
  /// Where `bytes` are in the file, for messages; nil if they were unpacked from it.
  var offset: Int? = 0

  func problem(_ position: Int, _ text: String) -> DatasetError {
    DatasetError(
      file: file, byte: offset.map { $0 + position },
      offset == nil ? text + " (at byte \(position) of what it unpacks to)" : text,
      remedy: "it is damaged or truncated: get the file again")
  }

  func number<T: FixedWidthInteger>(_ type: T.Type, at position: Int) throws -> Int {
    let part = try slice(position, MemoryLayout<T>.size)
    guard let number = Int(exactly: T(littleEndian: part.loadUnaligned(as: type))) else {
      throw problem(position, "a number is too large")
    }
    return number
  }

  func slice(_ position: Int, _ count: Int) throws -> UnsafeRawBufferPointer {
    guard position >= 0, count >= 0, position <= bytes.count, count <= bytes.count - position else {
      throw problem(bytes.count, "the file ends where \(count) bytes from byte \(position) on were expected")
    }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<(position + count)])
  }
}
