import Foundation

/// MATLAB's level 5 files: numeric arrays, plain or compressed. Anything else in such a file is refused by name.
/// <https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf>
enum MATFile {
  /// The arrays of a file, by name.
  /// - Parameter limit: the most bytes one array may unpack to.
  static func parse(_ bytes: UnsafeRawBufferPointer, file: String, atMost limit: Int) throws -> [String: NumberArray] {
    let reader = ByteReader(bytes: bytes, file: file)
    let advice = "save it from MATLAB with `-v7`, or get the published file"
    guard bytes.count >= 128 else { throw reader.problem(bytes.count, "the file ends inside the header of a MAT file") }
    // "IM" as a little-endian number.
    guard try reader.number(UInt16.self, at: 126) == 0x4D49 else {
      throw DatasetError(file: file, byte: 126, "is not a little-endian MAT file of level 5", remedy: advice)
    }
    let version = try reader.number(UInt16.self, at: 124)
    guard version == 0x0100 else {
      throw DatasetError(
        file: file, byte: 124,
        "is a MAT file of version \(String(version, radix: 16)) where 100 is read (200 is v7.3, which is HDF5)",
        remedy: advice)
    }
    var arrays: [String: NumberArray] = [:]
    var position = 128
    while position + 8 <= bytes.count {
      let type = try reader.number(UInt32.self, at: position)
      let size = try reader.number(UInt32.self, at: position + 4)
      let body = try reader.slice(position + 8, size)
      switch type {
      case compressed:
        let unpacked = try Inflate.zlib(body, atMost: limit, file: file)
        let element = try element(in: unpacked, file: file)
        arrays[element.name] = element.array
        position += 8 + size
      case matrix:
        guard size <= limit else {
          throw reader.problem(position + 4, "an array of \(size) bytes; \(limit) are allowed")
        }
        let element = try element(in: [UInt8](reader.slice(position, 8 + size)), file: file)
        arrays[element.name] = element.array
        position += 8 + (size + 7) / 8 * 8
      default:
        throw reader.problem(position, "an element of type \(type) where an array was expected")
      }
    }
    return arrays
  }

  private static let (matrix, compressed) = (14, 15)
  private static let types: [Int: NumberArray.Element] = [
    1: .int8, 2: .uint8, 3: .int16, 4: .uint16, 5: .int32, 6: .uint32, 7: .float32, 9: .float64, 12: .int64,
    13: .uint64,
  ]
  private static let otherClasses = [
    1: "a cell array", 2: "a structure", 3: "an object", 4: "text", 5: "a sparse matrix",
  ]

  /// The array of one element, tag included.
  private static func element(in bytes: [UInt8], file: String) throws -> (name: String, array: NumberArray) {
    let (name, element, shape, range) = try bytes.withUnsafeBytes { bytes in
      let reader = ByteReader(bytes: bytes, file: file, offset: nil)
      guard try reader.number(UInt32.self, at: 0) == matrix else { throw reader.problem(0, "is not an array") }
      let size = try reader.number(UInt32.self, at: 4)
      _ = try reader.slice(8, size)
      var position = 8
      /// The type and the place of the next part.
      func part() throws -> (type: Int, range: Range<Int>) {
        let tag = try reader.number(UInt32.self, at: position)
        // Parts of at most four bytes are packed into the tag.
        if tag >> 16 != 0 {
          guard tag >> 16 <= 4 else { throw reader.problem(position, "a short part of \(tag >> 16) bytes") }
          defer { position += 8 }
          _ = try reader.slice(position + 4, tag >> 16)
          return (tag & 0xFFFF, (position + 4)..<(position + 4 + tag >> 16))
        }
        let size = try reader.number(UInt32.self, at: position + 4)
        _ = try reader.slice(position + 8, size)
        defer { position += 8 + (size + 7) / 8 * 8 }
        return (tag, (position + 8)..<(position + 8 + size))
      }
      let flags = try part().range
      guard !flags.isEmpty else { throw reader.problem(flags.lowerBound, "an array without flags") }
      let kind = Int(bytes[flags.lowerBound])
      let dimensions = try part().range
      let shape = try stride(from: dimensions.lowerBound, to: dimensions.upperBound - 3, by: 4).map {
        try reader.number(Int32.self, at: $0)
      }
      let name = String(decoding: bytes[try part().range], as: UTF8.self)
      guard (6...15).contains(kind) else {
        throw DatasetError(
          file: file, "'\(name)' is \(otherClasses[kind] ?? "of class \(kind)"), not an array of numbers",
          remedy: "get the published file")
      }
      let data = try part()
      // MATLAB may store doubles in a smaller type, which is then what is read.
      guard let element = types[data.type] else {
        throw reader.problem(data.range.lowerBound, "'\(name)' has elements of the unknown type \(data.type)")
      }
      guard !shape.isEmpty, let count = NumberArray.count(shape + [element.size]), count == data.range.count else {
        throw reader.problem(
          data.range.lowerBound,
          "'\(name)' has \(data.range.count) bytes where \(shape.map(String.init).joined(separator: " × ")) \(element) "
            + "was promised"
        )
      }
      return (name, element, shape, data.range)
    }
    return (
      name, NumberArray(element: element, shape: shape, isColumnMajor: true, storage: bytes, range: range)
    )
  }
}
