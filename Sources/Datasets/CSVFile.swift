/// Comma-separated values (RFC 4180): a line of names, then a line of cells for each row. Quoted cells may hold commas
/// and line ends.
enum CSVFile {
  /// The cells of the named columns, row by row.
  static func columns(_ names: [String], of bytes: UnsafeRawBufferPointer, file: String) throws -> [[String]] {
    var columns = [[String]](repeating: [], count: names.count)
    var places: [Int]?
    var row = 0
    try rows(bytes, file: file) { cells in
      row += 1
      guard let places else {
        let header = cells.map { text(bytes, $0) }
        places = try names.map { name in
          guard let place = header.firstIndex(of: name) else {
            throw DatasetError(
              file: file, byte: 0, "has no column '\(name)', only \(header.joined(separator: ", "))",
              remedy: "get the published file")
          }
          return place
        }
        return
      }
      for (column, place) in places.enumerated() {
        guard place < cells.count else {
          throw DatasetError(
            file: file, byte: cells.first?.lowerBound,
            "row \(row) has \(cells.count) cells and none for '\(names[column])'",
            remedy: "it is damaged: get the file again")
        }
        columns[column].append(text(bytes, cells[place]))
      }
    }
    guard places != nil else { throw DatasetError(file: file, byte: 0, "is empty", remedy: "get the file again") }
    return columns
  }

  private static func text(_ bytes: UnsafeRawBufferPointer, _ cell: Range<Int>) -> String {
    let text = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[cell]), as: UTF8.self)
    guard text.first == "\"", text.last == "\"", text.utf8.count >= 2 else { return text }
    return String(text.dropFirst().dropLast()).replacing("\"\"", with: "\"")
  }

  /// Calls `body` with the cells of each row that is not empty.
  private static func rows(_ bytes: UnsafeRawBufferPointer, file: String, _ body: ([Range<Int>]) throws -> Void) throws
  {
    var cells: [Range<Int>] = []
    var (start, isQuoted) = (0, false)
    func end(_ position: Int) throws {
      var end = position
      if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
      cells.append(start..<end)
      if cells.count > 1 || !cells[0].isEmpty { try body(cells) }
      cells.removeAll(keepingCapacity: true)
      start = position + 1
    }
    for (position, byte) in bytes.enumerated() {
      switch byte {
      case UInt8(ascii: "\""): isQuoted.toggle()
      case UInt8(ascii: ",") where !isQuoted:
        cells.append(start..<position)
        start = position + 1
      case UInt8(ascii: "\n") where !isQuoted: try end(position)
      default: break
      }
    }
    guard !isQuoted else {
      throw DatasetError(file: file, byte: bytes.count, "ends inside a quoted cell", remedy: "get the file again")
    }
    if start < bytes.count || !cells.isEmpty { try end(bytes.count) }
  }
}
