import Foundation
import Support

/// The level of the singles against the gain, a point for each merge, more opaque later in training; for many
/// configurations, where it does not stand beside boxes.
struct SingleFigure: Figure {
  let analysis: Analysis
  let measure: Measure
  let points: [(point: MergePoint, single: Double)]

  /// In the first measure, where `GainBoxesFigure` does not show it.
  static func figures(of analysis: Analysis) -> [SingleFigure] {
    guard analysis.finished.count > Analysis.mostBoxes, let measure = analysis.measures.first else { return [] }
    let points = analysis.mergePoints(measure).compactMap { point in
      measure.singleLevel(point.row).map { (point, $0) }
    }
    return points.isEmpty ? [] : [SingleFigure(analysis: analysis, measure: measure, points: points)]
  }

  private var single: String { "single_\(measure.rawValue)" }

  var name: String { "single-\(measure.rawValue)-against-gain" }
  var title: String { "Single \(measure.rawValue) against gain" }

  var caption: String {
    "Mean test \(measure.rawValue) of the singles of a merge against the gain of the merge, one point per merge "
      + "\(analysis.mergePointsText); later checkpoints are more opaque. \(analysis.proxyText)."
  }

  var table: Table {
    Table(
      columns: ["configuration", "epoch", "seed", single, "gain", "noise_proxy"],
      rows: points.map { point, single in
        [
          .text(point.configuration.label), .number(point.row.epoch), .number(point.seed), .number(single),
          .number(point.gain), .number(point.configuration.noiseProxy),
        ]
      })
  }

  var spec: Spec {
    let proxies = Array(Set(analysis.finished.map(\.noiseProxy)))
    let color: JSON =
      proxies.count > 1
      ? [
        "field": "noise_proxy", "type": "quantitative", "title": "S̃ (p = \(analysis.results.exponent))",
        "scale": ["type": "log", "scheme": "viridis"],
        "legend": ["format": .text(logFormat(proxies)), "values": JSON(logTicks(paddedLogDomain(proxies, margin: 0)))],
      ]
      : [
        "field": "configuration", "type": "nominal", "title": "configuration",
        "scale": ["range": JSON(Palette.okabeIto)],
      ]
    let scale: JSON = ["zero": false, "padding": 10]
    let marks = Marks(
      x: ["field": .text(single), "type": "quantitative", "title": .text(measure.singleTitle), "scale": scale],
      y: [
        "field": "gain", "type": "quantitative", "title": .text(measure.axisTitle),
        "scale": scale.merging(["reverse": .truth(measure.sign < 0)]),
      ],
      [
        "color": color,
        "opacity": [
          "field": "epoch", "type": "quantitative", "title": "trunk epoch", "scale": ["range": [0.2, 0.95]],
          "legend": ["tickCount": 4],
        ],
        "tooltip": [
          ["field": "configuration"], Channel.told("epoch", nil, ".4~g"), Channel.told("seed"),
          Channel.told(single, "single \(measure.rawValue)", ".4~g"),
          Channel.told("gain", "gain (\(measure.unit))", ".3~g"),
        ],
      ])
    return Spec(["data": ["values": table.values()], "layer": [Marks.rule("y"), marks.points(45)]])
  }
}
