import Support

/// The gain of every merge over all trunk checkpoints: a box for each of a few configurations, and beside them the
/// level of the singles against the gain (the paper's Figures 2, 3, 5 and 9).
struct GainBoxesFigure: Figure {
  let analysis: Analysis
  let measure: Measure
  let points: [MergePoint]

  /// One for each measure, if the configurations are few enough to stand side by side.
  static func figures(of analysis: Analysis) -> [GainBoxesFigure] {
    guard analysis.finished.count <= Analysis.mostBoxes else { return [] }
    return analysis.measures.map {
      GainBoxesFigure(analysis: analysis, measure: $0, points: analysis.mergePoints($0))
    }.filter { !$0.points.isEmpty }
  }

  private var quantity: String { analysis.axes.title }
  private var hasEpochs: Bool { Set(points.map(\.row.epoch)).count > 1 }
  private var single: String { "single_\(measure.rawValue)" }

  var name: String { "\(measure.rawValue)-gain-over-training" }
  var title: String { "\(measure.rawValue.capitalized) gain over training, and against the singles" }

  var caption: String {
    "The gain of every merge \(analysis.mergePointsText). a: by \(quantity.isEmpty ? "study" : quantity); box: "
      + "quartiles and median (red); whiskers: all points. b: against the mean test \(measure.rawValue) of the two "
      + "singles" + (hasEpochs ? "; later checkpoints are more opaque" : "") + ". \(analysis.subjectText)."
  }

  var table: Table {
    Table(
      columns: ["series", "epoch", "seed", "endpoints", single, "gain", "noise_proxy", "_jitter"],
      rows: points.enumerated().map { index, point in
        [
          .text(analysis.lines.series(point.configuration)), .number(point.row.epoch), .number(point.seed),
          point.endpoints, .number(measure.singleLevel(point.row)), .number(point.gain),
          .number(point.configuration.noiseProxy), ConfigurationRows.jitter(index),
        ]
      })
  }

  var spec: Spec {
    let lines = analysis.lines
    let present = Set(points.map { lines.series($0.configuration) })
    let names = lines.ordered(by: lines.axes).map(lines.series).distinct().filter(present.contains)
    let isOrdered = lines.axes.allSatisfy { $0.quantity != .augmentation }
    let scale = Channel.range(
      paddedDomain(points.map(\.gain), including: [0]), isReversed: measure.sign < 0)
    let tooltip: JSON = [
      ["field": "series", "title": .text(quantity)], Channel.told("epoch", nil, ".4~g"), Channel.told("seed"),
      ["field": "endpoints"], Channel.told(single, "single \(measure.rawValue)", ".4~g"),
      Channel.told("gain", "gain (\(measure.unit))", ".3~g"),
    ]
    let over = Marks(
      x: Channel.words(
        "series", quantity.isEmpty ? nil : quantity, names, axis: Channel.labels(names, most: 40, limit: 120)),
      y: Channel.numbers("gain", measure.axisTitle, scale, isLabelled: true))
    var own = Palette.encoding(names, title: quantity, isOrdered: isOrdered, legend: .hidden)
    (own["xOffset"], own["tooltip"]) = (ConfigurationRows.offset, tooltip)
    var against = Palette.encoding(names, title: quantity, isOrdered: isOrdered)
    against["tooltip"] = tooltip
    if hasEpochs {
      against["opacity"] = [
        "field": "epoch", "type": "quantitative", "title": "trunk epoch", "scale": ["range": [0.15, 0.95]],
        "legend": ["tickCount": 4, "symbolFillColor": Palette.grey, "symbolStrokeWidth": 0],
      ]
    }
    let scatter = Marks(
      x: Channel.numbers(single, measure.singleTitle, ["zero": false, "padding": 10]),
      y: Channel.numbers("gain", nil, scale, isLabelled: false), against)
    return Spec(
      panels: [
        Panel(
          "over training", width: max(160, min(420, 62 * Double(names.count))), height: 270,
          layers: [
            Marks.rule("y"), over.mark("boxplot", boxes(size: 26, opacity: 0.35, median: 2.5)),
            over.points(16, ["opacity": 0.6], own),
          ]),
        Panel(
          "against the singles", width: 330, height: 270,
          layers: [Marks.rule("y"), scatter.points(42, ["opacity": 0.75])]),
      ], data: table)
  }
}
