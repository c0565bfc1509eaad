import Support

/// The gain of every merge over all trunk checkpoints, a row with a box for each of many configurations (the paper's
/// Figures 2, 3, 5 and 9).
struct GainRowsFigure: Figure {
  let analysis: Analysis
  let measure: Measure
  let points: [MergePoint]

  /// One for each measure, if the configurations are too many to stand side by side.
  static func figures(of analysis: Analysis) -> [GainRowsFigure] {
    guard analysis.finished.count > Analysis.mostBoxes else { return [] }
    return analysis.measures.map {
      GainRowsFigure(analysis: analysis, measure: $0, points: analysis.mergePoints($0))
    }.filter { !$0.points.isEmpty }
  }

  var name: String { "\(measure.rawValue)-gain-over-training" }
  var title: String { "\(measure.rawValue.capitalized) gain over training" }

  var caption: String {
    "The gain of every merge \(analysis.mergePointsText), by configuration, in the order of S̃, highest on top. Box: "
      + "quartiles and median; whiskers: all points. \(analysis.proxyText)."
  }

  var table: Table {
    Table(
      columns: ["configuration", "epoch", "seed", "endpoints", "gain", "noise_proxy", "_jitter"],
      rows: points.enumerated().map { index, point in
        [
          .text(point.configuration.label), .number(point.row.epoch), .number(point.seed), point.endpoints,
          .number(point.gain), .number(point.configuration.noiseProxy), ConfigurationRows.jitter(index),
        ]
      })
  }

  var spec: Spec {
    let rows = analysis.finished.count
    let marks = Marks(
      x: Channel.numbers(
        "gain", measure == .loss ? "loss gain of the merge (nats, lower is better)" : measure.axisTitle,
        ["zero": false, "nice": true]),
      y: ConfigurationRows.axis(analysis.finished))
    let own: [String: JSON] = [
      "yOffset": ConfigurationRows.offset, "color": ConfigurationRows.color(points.map(\.row.epoch), rows: rows),
      "tooltip": [
        ["field": "configuration"], Channel.told("epoch", nil, ".4~g"), Channel.told("seed"),
        ["field": "endpoints", "title": "endpoints"], Channel.told("gain", "gain (\(measure.unit))", ".3~g"),
      ],
    ]
    return Spec(
      [
        "data": ["values": table.values()],
        "layer": [
          Marks.rule("x"), marks.mark("boxplot", boxes(size: 20, opacity: 0.4, median: 2)),
          marks.points(16, ["opacity": 0.8], own),
        ],
      ], height: ConfigurationRows.height * rows)
  }
}
