import Support

/// Performance over a coefficient, such as a merge method's: a curve with bars for each series.
struct CoefficientPanel {
  struct Point {
    var series: String
    var alpha: Double
    var value: Estimate
  }

  var title: String
  /// The axis's title.
  var coefficient: String
  /// The coefficient's symbol, such as α.
  var symbol: String
  var points: [Point]
  /// Names in the order of the legend.
  var series: [String]
  var seriesTitle: String
  var valueTitle: String
  /// The least and the largest value of the axis that all panels of a figure share.
  var domain: [Double]
  /// Whether lower is better, since up is better in every panel.
  var isReversed = false
  /// Whether this is the first panel, which alone has labels and a title on its vertical axis.
  var isFirst: Bool
  /// Whether this is the last panel, which alone has the legend.
  var isLast: Bool

  var panel: Panel {
    let rows = points.map { point -> JSON in
      let own: [String: JSON] = [
        "series": .text(point.series), "alpha": .number(point.alpha), "x": .number(dodged(point)),
        "runs": .number(point.value.runs),
      ]
      return JSON(point.value.fields.merging(own) { $1 })
    }
    let marks = Marks(
      x: Channel.numbers("x", coefficient, ["nice": false, "zero": false, "padding": 8]),
      y: Channel.numbers("value", valueTitle, Channel.range(domain, isReversed: isReversed), isLabelled: isFirst),
      Palette.encoding(series, title: seriesTitle, isOrdered: true, legend: isLast ? .usual : .hidden))
    let tooltip: [JSON] =
      [["field": "series", "title": .text(seriesTitle)], Channel.told("alpha", symbol)]
      + Channel.told(estimate: "value", valueTitle, ".4~g")
    return Panel(
      title, width: 270, height: 250, rows: rows,
      layers: [
        marks.intervals(["strokeWidth": 1.3, "opacity": 0.55, "clip": true]),
        marks.line(["strokeWidth": 2, "clip": true]),
        marks.points(32, ["opacity": 1, "clip": true], ["tooltip": JSON(tooltip)]),
      ])
  }

  /// Where a point is drawn: a little apart from those of other curves, so that their bars do not hide one another.
  private func dodged(_ point: Point) -> Double {
    let index = Double(series.firstIndex(of: point.series) ?? 0)
    let step = min(0.008, 0.04 / Double(max(series.count - 1, 1)))
    return point.alpha + step * (index - Double(series.count - 1) / 2)
  }
}
