import Checkpoints
import Foundation
import Support

/// How two models differ over their layers.
public struct DifferenceFigure: Sendable {
  public struct Row: Sendable {
    let name: String
    let relative, cosine, conflicts: Double?

    /// - Parameters:
    ///   - relative: ‖B − A‖ / ‖A‖
    ///   - cosine: that of the task vectors, where there is a base
    ///   - conflicts: the part of the elements in which the task vectors go opposite ways
    public init(name: String, relative: Double?, cosine: Double? = nil, conflicts: Double? = nil) {
      (self.name, self.relative, self.cosine, self.conflicts) = (name, relative, cosine, conflicts)
    }

    /// The first number in the name.
    var layer: Int? { name.split(separator: ".").lazy.compactMap { Int($0) }.first }
    /// What stands after the layer, without `.weight`: tensors of one kind share a colour.
    var kind: String {
      let parts = name.split(separator: ".")
      let rest = parts.firstIndex { Int($0) != nil }.map { parts[($0 + 1)...] } ?? parts[...]
      return rest.filter { $0 != "weight" }.joined(separator: ".")
    }
  }

  let figure: Figure

  public init(title: String, rows: [Row]) {
    // What lies outside the layers stands beside them in the table only.
    let drawn = rows.filter { $0.layer != nil && $0.relative ?? 0 > 0 }
    var table = Table(
      columns: ["tensor", "layer", "series", "relative difference", "cosine of task vectors", "sign conflicts"],
      rows: [])
    table.rows = rows.map { row in
      [
        .string(row.name), row.layer.map { .int($0) } ?? .null, .string(row.kind), JSON(row.relative), JSON(row.cosine),
        JSON(row.conflicts),
      ]
    }
    var kinds: [String] = []
    for row in drawn where !kinds.contains(row.kind) { kinds.append(row.kind) }
    let data = Table(columns: table.columns, rows: table.rows.filter { $0[1] != .null })
    func panel(_ field: String, _ scale: JSON, _ title: String) -> JSON {
      var encoding: [String: JSON] = [
        "x": ["field": "layer", "type": "quantitative", "title": "layer", "axis": ["tickMinStep": 1, "format": "d"]],
        "y": ["field": .string(field), "type": "quantitative", "title": .string(title), "scale": scale],
        "detail": ["field": "series"],
        "tooltip": .array(
          ["tensor", "relative difference", "cosine of task vectors", "sign conflicts"].map {
            ["field": .string($0)]
          }),
      ]
      for (key, value) in Palette.lines(kinds, title: "tensor") { encoding[key] = value }
      return [
        "width": 420, "height": 260,
        "mark": ["type": "line", "point": true, "strokeWidth": 1.2], "encoding": .object(encoding),
      ]
    }
    // Differences of one order of size would be lost on a scale of whole decades.
    let relative: JSON = ["type": "log", "nice": false, "padding": 12]
    var panels = [panel("relative difference", relative, "relative difference ‖B − A‖ / ‖A‖")]
    if rows.contains(where: { $0.cosine != nil }) {
      panels.append(panel("cosine of task vectors", ["zero": false], "cosine of the task vectors"))
      panels.append(panel("sign conflicts", ["zero": true], "part of the elements with opposite signs"))
    }
    var figure = Figure(
      name: "difference", title: title,
      caption: "Each line is one kind of tensor over the layers: how far the second model lies from the first, "
        + "relative to the first's norm; with a base, how the two task vectors agree.",
      table: table, panels: .array(panels), columns: 2, data: data)
    // Outside a page there is no other place that says whose difference it is.
    figure.view["resolve"] = [
      "scale": ["color": "independent", "opacity": "independent", "strokeDash": "independent"]
    ]
    figure.view["title"] = ["text": .string(title), "offset": 14]
    self.figure = figure
  }

  /// Writes `difference.csv`, its Vega-Lite spec and, where the renderer is installed, its pictures; gives the names.
  ///
  /// - Throws: `ReportError`.
  @discardableResult
  public func write(to folder: URL, formats: Set<FigureFormat> = Set(FigureFormat.allCases)) throws -> [String] {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw ReportError.file(path: folder.path, message: "cannot make this folder: \(error.localizedDescription)")
    }
    var written: [String] = []
    func put(_ data: Data, _ name: String) throws {
      try writeAtomically(data, to: folder.appendingPathComponent(name).path)
      written.append(name)
    }
    try put(Data(figure.table.csv().utf8), "\(figure.name).csv")
    try put(figure.document(.file).data(), "\(figure.name).vl.json")
    let renderer = Renderer()
    guard renderer.isPresent else { return written }
    let output = try renderer.render([figure.name: figure.document(.file)], formats: formats, scratch: folder)
    for (name, picture) in output.pictures.sorted(by: { $0.key < $1.key }) { try put(picture, name) }
    return written
  }
}
