/// A table for people: columns aligned, numbers to the right, two spaces between.
struct TextTable {
  var header: [String]
  var rows: [[String]] = []

  init(_ header: [String]) { self.header = header }

  var text: String {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    let isNumeric = header.indices.map { column in
      !rows.isEmpty && rows.allSatisfy { $0[column].allSatisfy { "0123456789+-−–.:/% e".contains($0) } }
    }
    func line(_ cells: [String]) -> String {
      let padded = cells.indices.map { column in
        let space = String(repeating: " ", count: max(0, widths[column] - cells[column].count))
        return isNumeric[column] ? space + cells[column] : cells[column] + space
      }
      let joined = padded.joined(separator: "  ")
      return String(joined.reversed().drop { $0 == " " }.reversed())
    }
    return ([Terminal.colour(line(header), 1)] + rows.map(line)).joined(separator: "\n")
  }
}
