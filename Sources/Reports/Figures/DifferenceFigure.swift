import Support

/// How two models differ over their layers.
public struct DifferenceFigure: Figure {
  /// A tensor that both models have.
  public struct Row: Sendable {
    let name: String
    let relative, cosine, conflicts: Double?

    /// - Parameters:
    ///   - relative: ‖B − A‖ / ‖A‖
    ///   - cosine: the cosine of the task vectors, where there is a base
    ///   - conflicts: the share of elements in which the task vectors have opposite signs
    public init(name: String, relative: Double?, cosine: Double? = nil, conflicts: Double? = nil) {
      (self.name, self.relative, self.cosine, self.conflicts) = (name, relative, cosine, conflicts)
    }

    /// The first number in the name.
    var layer: Int? { name.split(separator: ".").lazy.compactMap { Int($0) }.first }
    /// What follows the layer in the name, without `.weight`; tensors of one kind share a colour.
    var kind: String {
      let parts = name.split(separator: ".")
      let rest = parts.firstIndex { Int($0) != nil }.map { parts[($0 + 1)...] } ?? parts[...]
      return rest.filter { $0 != "weight" }.joined(separator: ".")
    }
  }

  /// Whose difference it is.
  public let title: String
  private let rows: [Row]

  /// - Parameter title: whose difference it is.
  public init(title: String, rows: [Row]) { (self.title, self.rows) = (title, rows) }

  /// The name of its files, without extension.
  public var name: String { "difference" }

  /// What is drawn, and under which setting.
  public var caption: String {
    "Each line is one kind of tensor over the layers: how far the second model lies from the first, relative to the "
      + "first's norm; with a base, how well the two task vectors agree."
  }

  private static let measures = ["relative difference", "cosine of task vectors", "sign conflicts"]

  /// A row for each tensor.
  public var table: Table {
    Table(
      columns: ["tensor", "layer", "series"] + Self.measures,
      rows: rows.map { row in
        [
          .text(row.name), row.layer.map { .number($0) } ?? .missing, .text(row.kind), .number(row.relative),
          .number(row.cosine), .number(row.conflicts),
        ]
      })
  }

  /// How Vega-Lite draws it.
  public var spec: Spec {
    // Tensors outside the layers appear in the table only.
    let kinds = rows.filter { $0.layer != nil && $0.relative ?? 0 > 0 }.map(\.kind).distinct()
    var data = table
    data.rows = data.rows.filter { $0[1] != .missing }
    var channels = Palette.lines(kinds, title: "tensor")
    channels["detail"] = ["field": "series"]
    channels["tooltip"] = JSON((["tensor"] + Self.measures).map { ["field": .text($0)] })
    func panel(_ field: String, _ scale: JSON, _ title: String) -> Panel {
      let marks = Marks(
        x: ["field": "layer", "type": "quantitative", "title": "layer", "axis": ["tickMinStep": 1, "format": "d"]],
        y: ["field": .text(field), "type": "quantitative", "title": .text(title), "scale": scale], channels)
      return Panel(width: 420, height: 260, view: marks.fields("line", ["point": true, "strokeWidth": 1.2]))
    }
    // Differences within one order of magnitude would be lost on a scale of whole decades.
    let relative: JSON = ["type": "log", "nice": false, "padding": 12]
    var panels = [panel(Self.measures[0], relative, "relative difference ‖B − A‖ / ‖A‖")]
    if rows.contains(where: { $0.cosine != nil }) {
      panels.append(panel(Self.measures[1], ["zero": false], "cosine of the task vectors"))
      panels.append(panel(Self.measures[2], ["zero": true], "share of elements with opposite signs"))
    }
    var spec = Spec(panels: panels, columns: 2, isLettered: false, data: data)
    spec.view["resolve"] = [
      "scale": ["color": "independent", "opacity": "independent", "strokeDash": "independent"]
    ]
    // Without a page, nothing else says whose difference it is.
    spec.view["title"] = ["text": .text(title), "offset": 14]
    return spec
  }
}
