import Foundation
import Landscape

/// How alike the layers of two networks are: a heat map of all pairs, or the value of each layer with itself.
public struct CKAFigure: Sendable {
  public var cka: CKA
  /// Of the two networks
  public var names: (String, String)
  /// Network, data and what was done about BatchNorm.
  public var setting: String

  public init(cka: CKA, names: (String, String), setting: String) {
    (self.cka, self.names, self.setting) = (cka, names, setting)
  }

  private var isMap: Bool {
    cka.values.enumerated().contains { row, values in
      values.enumerated().contains { $0.offset != row && $0.element != nil }
    }
  }

  private var rows: [[JSON]] {
    cka.first.indices.flatMap { row in
      cka.second.indices.compactMap { column in
        cka.values[row][column].map { [.string(cka.first[row]), .string(cka.second[column]), .number($0)] }
      }
    }
  }

  public func figure() -> Figure {
    let table = Table(columns: ["first_layer", "second_layer", "cka"], rows: rows)
    let caption =
      "Linear CKA, unbiased, over \(cka.examples) examples in batches of \(cka.batchSize), of \(names.0) and \(names.1). \(setting)."
    let title = "Similarity of the layers of two networks"
    guard isMap else {
      return Figure(
        name: "cka", title: title, caption: caption, table: table,
        view: [
          "data": ["values": table.values()],
          "mark": ["type": "line", "point": ["size": 45, "filled": true], "strokeWidth": 1.5],
          "encoding": [
            "x": axis("first_layer", "layer", cka.first),
            "y": [
              "field": "cka", "type": "quantitative", "title": "CKA",
              "scale": ["domain": [.number(min(0, cka.diagonal.map(\.value).min() ?? 0)), 1]],
            ],
            "color": ["value": .string(Palette.okabeIto[0])],
            "tooltip": [
              ["field": "first_layer", "title": "layer"],
              ["field": "cka", "type": "quantitative", "format": ".4f", "title": "CKA"],
            ],
          ],
        ])
    }
    let side = min(640, max(160, 12 * cka.first.count))
    return Figure(
      name: "cka", title: title, caption: caption, table: table,
      panels: [
        [
          "width": .int(side), "height": .int(side), "data": ["values": table.values()], "mark": "rect",
          "encoding": [
            "x": axis("second_layer", names.1, cka.second),
            "y": axis("first_layer", names.0, cka.first.reversed()).merging([
              "axis": [
                "labelFontSize": .int(labelSize), "labelLimit": 130, "labelOverlap": .bool(cka.first.count > 50),
              ]
            ]),
            "color": [
              "field": "cka", "type": "quantitative", "title": "CKA",
              "scale": ["domain": [0, 1], "clamp": true, "range": JSON(Palette.sequence(8)), "interpolate": "rgb"],
            ],
            "tooltip": [
              ["field": "first_layer", "title": .string(names.0)],
              ["field": "second_layer", "title": .string(names.1)],
              ["field": "cka", "type": "quantitative", "format": ".4f", "title": "CKA"],
            ],
          ],
        ]
      ], columns: 1)
  }

  private var labelSize: Int { cka.first.count > 30 ? 8 : 11 }

  private func axis(_ field: String, _ title: String, _ order: some Sequence<String>) -> JSON {
    [
      "field": .string(field), "type": "nominal", "sort": JSON(Array(order)), "title": .string(title),
      "axis": [
        "labelAngle": -60, "labelFontSize": .int(labelSize), "labelLimit": 130,
        "labelOverlap": .bool(cka.first.count > 50),
      ],
    ]
  }
}
