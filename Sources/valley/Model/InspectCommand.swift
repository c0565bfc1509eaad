import ArgumentParser
import Checkpoints
import Foundation
import Merging
import Support
import Torch

/// `valley inspect`: what a file of weights holds.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "List what a file or folder of weights holds: tensors, shapes, types, sizes, metadata.",
    discussion: """
      Only headers are read, so a large model takes no longer than a small one. --check reads every element, reports \
      NaN, infinity, and tensors that are all zeros, and exits with code 1 if there is NaN or infinity.

      EXAMPLES
        valley inspect model.safetensors
        valley inspect ~/models/TinyLlama --only '*layers.0.*'
        valley inspect checkpoint.pth --check
        valley inspect out/merged --json
      """)

  @Argument(help: "A safetensors file, an index of shards, a PyTorch file, or a folder.") var path: String
  @Option(help: ArgumentHelp("Only tensors whose names match; * stands for anything.", valueName: "pattern"))
  var only: String?
  @Flag(help: "Read every element and report what is wrong.") var check = false
  @Flag(help: "Print JSON.") var json = false

  private struct Row: Encodable {
    var name, dtype: String
    var shape: [Int]
    var elements, bytes: Int
    var notFinite: Int?
    var zeros: Int?
    var mean, deviation, least, largest: Double?
  }

  private struct Listing: Encodable {
    var path, format: String
    var files: [String]
    var tensors, parameters, bytes: Int
    var types: [String: Int]
    var metadata: [String: String]
    var notes: [String]
    var rows: [Row]
  }

  func run() throws {
    let checkpoint = try Checkpoint.read(path)
    let weights = only.map { checkpoint.weights.select($0) } ?? checkpoint.weights
    guard !weights.isEmpty else { throw CommandError("\(path): no tensor is called \(only ?? "")") }
    let rows = try weights.map { try row($0, $1) }
    var types: [String: Int] = [:]
    for row in rows { types[row.dtype, default: 0] += row.elements }
    let listing = Listing(
      path: path, format: checkpoint.format.rawValue, files: checkpoint.files, tensors: rows.count,
      parameters: rows.reduce(0) { $0 + $1.elements }, bytes: rows.reduce(0) { $0 + $1.bytes }, types: types,
      metadata: checkpoint.metadata, notes: checkpoint.notes, rows: rows)
    if json { try printJSON(listing) } else { show(listing) }
    if rows.contains(where: { $0.notFinite ?? 0 > 0 }) { throw ExitCode(1) }
  }

  private func row(_ name: String, _ tensor: Tensor) throws -> Row {
    var row = Row(
      name: name, dtype: "\(tensor.dtype)", shape: tensor.shape, elements: tensor.count,
      bytes: tensor.count * tensor.dtype.byteCount)
    guard check, tensor.count > 0, tensor.dtype.isFloatingPoint, tensor.dtype.byteCount > 1 else { return row }
    let summary = try ElementSummary(tensor)
    (row.notFinite, row.zeros) = (summary.notFinite, summary.zeros)
    (row.mean, row.deviation) = (summary.mean, summary.deviation)
    (row.least, row.largest) = (summary.least, summary.largest)
    return row
  }

  private func show(_ listing: Listing) {
    var columns = ["tensor", "shape", "type", "size"]
    if check { columns += ["mean", "deviation", "least", "largest", "zeros", "remarks"] }
    var table = TextTable(columns)
    table.rows = listing.rows.map { row in
      let shape = row.shape.map(String.init).joined(separator: " × ")
      let cells = [row.name, shape.isEmpty ? "scalar" : shape, row.dtype, byteText(row.bytes)]
      guard check else { return cells }
      func number(_ value: Double?) -> String { value.map { String(format: "%.3g", $0) } ?? "" }
      let wrong = row.notFinite.flatMap { $0 > 0 ? "\($0) NaN or infinite" : nil }
      let empty = row.zeros == row.elements && row.elements > 0 ? "all 0" : nil
      return cells + [
        number(row.mean), number(row.deviation), number(row.least), number(row.largest),
        row.zeros.map { String(format: "%.1f %%", 100 * Double($0) / Double(max(1, row.elements))) } ?? "",
        [wrong, empty].compactMap { $0 }.joined(separator: ", "),
      ]
    }
    print(table.text)
    let types = listing.types.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key)" }
    let files = counted(listing.files.count, "file")
    print("")
    print(
      "\(listing.tensors) tensors, \(listing.parameters) numbers (\(types.joined(separator: ", "))), "
        + "\(byteText(listing.bytes)), \(listing.format), \(files)")
    for (key, value) in listing.metadata.sorted(by: { $0.key < $1.key }) {
      print("\(key): \(value.count > 200 ? value.prefix(200) + "…" : value)")
    }
    for note in listing.notes { print("note: \(note)") }
  }
}
