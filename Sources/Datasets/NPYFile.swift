/// NumPy's file of one array. <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>
enum NPYFile {
  static func parse(_ bytes: UnsafeRawBufferPointer, file: String) throws -> NumberArray {
    let reader = ByteReader(bytes: bytes, file: file)
    guard bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else { throw reader.problem(0, "is not an NPY file") }
    let isShort = try reader.number(UInt8.self, at: 6) == 1
    let start = isShort ? 10 : 12
    let size = isShort ? try reader.number(UInt16.self, at: 8) : try reader.number(UInt32.self, at: 8)
    guard size <= 1 << 16 else { throw reader.problem(8, "a header of \(size) bytes") }
    let header = String(decoding: try reader.slice(start, size), as: UTF8.self)
    guard
      let match = header.firstMatch(
        of: /'descr': '([<>|=]?[a-z][0-9]+)', 'fortran_order': (True|False), 'shape': \(([0-9, ]*)\)/)
    else { throw reader.problem(start, "has the header '\(header.prefix(200))', not one of an array of numbers") }
    guard let element = types[String(match.1.drop { "<|=".contains($0) })] else {
      throw DatasetError(
        file: file, byte: start, "has elements of type '\(match.1)'; little-endian numbers are read",
        remedy: "save it from a little-endian array of integers")
    }
    let shape = match.3.split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }.map {
      Int($0) ?? -1
    }
    guard let count = NumberArray.count(shape + [element.size]), count == bytes.count - start - size else {
      throw reader.problem(
        start,
        "the header promises \(match.3) elements of \(element.size) bytes, and \(bytes.count - start - size) bytes "
          + "follow it"
      )
    }
    return NumberArray(
      element: element, shape: shape, isColumnMajor: match.2 == "True", storage: [UInt8](bytes[(start + size)...]),
      range: 0..<count)
  }

  private static let types: [String: NumberArray.Element] = [
    "i1": .int8, "u1": .uint8, "i2": .int16, "u2": .uint16, "i4": .int32, "u4": .uint32, "i8": .int64, "u8": .uint64,
    "f4": .float32, "f8": .float64,
  ]
}
