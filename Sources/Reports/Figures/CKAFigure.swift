import Landscape
import Support

/// How alike the layers of two networks are: a heat map of all pairs, or the value of each layer with itself.
public struct CKAFigure: Figure {
  private let cka: CKA
  private let names: (String, String)
  private let setting: String

  /// - Parameters:
  ///   - names: the two networks' names
  ///   - setting: network, data and what was done about BatchNorm
  public init(cka: CKA, names: (String, String), setting: String) {
    (self.cka, self.names, self.setting) = (cka, names, setting)
  }

  /// The name of its files, without extension.
  public var name: String { "cka" }
  /// What it shows, in a line.
  public var title: String { "Similarity of the layers of two networks" }

  /// What is drawn, and under which setting.
  public var caption: String {
    "Unbiased linear CKA of \(names.0) and \(names.1), over \(cka.examples) examples in batches of \(cka.batchSize). "
      + "\(setting)."
  }

  /// A row for each pair of layers that was compared.
  public var table: Table {
    Table(
      columns: ["first_layer", "second_layer", "cka"],
      rows: cka.first.indices.flatMap { row in
        cka.second.indices.compactMap { column in
          cka.values[row][column].map { [.text(cka.first[row]), .text(cka.second[column]), .number($0)] }
        }
      })
  }

  private var isMap: Bool {
    cka.values.enumerated().contains { row, values in
      values.enumerated().contains { $0.offset != row && $0.element != nil }
    }
  }

  /// How Vega-Lite draws it.
  public var spec: Spec { isMap ? map : line }

  private var line: Spec {
    let low = min(0, cka.diagonal.map(\.value).min() ?? 0)
    let marks = Marks(
      x: axis("first_layer", "layer", cka.first),
      y: ["field": "cka", "type": "quantitative", "title": "CKA", "scale": ["domain": [.number(low), 1]]],
      [
        "color": ["value": Palette.blue],
        "tooltip": [["field": "first_layer", "title": "layer"], Channel.told("cka", "CKA", ".4f")],
      ])
    let view = marks.fields("line", ["point": ["size": 45, "filled": true], "strokeWidth": 1.5])
    return Spec(view.merging(["data": ["values": table.values()]]) { $1 })
  }

  private var map: Spec {
    let side = Double(min(640, max(160, 12 * cka.first.count)))
    let marks = Marks(
      x: axis("second_layer", names.1, cka.second),
      y: axis("first_layer", names.0, cka.first.reversed(), angle: nil),
      [
        "color": [
          "field": "cka", "type": "quantitative", "title": "CKA",
          "scale": ["domain": [0, 1], "clamp": true, "range": JSON(Palette.sequence(8)), "interpolate": "rgb"],
        ],
        "tooltip": [
          ["field": "first_layer", "title": .text(names.0)], ["field": "second_layer", "title": .text(names.1)],
          Channel.told("cka", "CKA", ".4f"),
        ],
      ])
    let view: [String: JSON] = [
      "mark": "rect", "encoding": JSON(marks.channels), "data": ["values": table.values()],
    ]
    return Spec(panels: [Panel(width: side, height: side, view: view)], columns: 1, isLettered: false)
  }

  private func axis(_ field: String, _ title: String, _ order: [String], angle: Int? = -60) -> JSON {
    var axis: [String: JSON] = [
      "labelFontSize": .number(cka.first.count > 30 ? 8 : 11), "labelLimit": 130,
      "labelOverlap": .truth(cka.first.count > 50),
    ]
    axis["labelAngle"] = angle.map { .number($0) }
    return [
      "field": .text(field), "type": "nominal", "sort": JSON(order), "title": .text(title), "axis": JSON(axis),
    ]
  }
}
