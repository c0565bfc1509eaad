/// Performance over a coefficient, such as a merge method's: a curve with bars for each series.
struct CoefficientPanel {
  struct Point {
    var series: String
    var alpha: Double
    var value: Estimate
  }

  var letter: String
  var title: String
  /// The axis's title.
  var coefficient: String
  /// Its sign, such as α.
  var symbol: String
  var points: [Point]
  /// Names in the order of the legend.
  var series: [String]
  var seriesTitle: String
  var valueTitle: String
  /// The least and the largest value of the axis that all panels of a figure share.
  var domain: [Double]
  /// Lower is better, so that up is better in every panel.
  var isReversed: Bool
  /// Only the first of a row says what its values are, only the last has the legend.
  var isFirst: Bool
  var isLast: Bool

  var json: JSON {
    let rows = points.map { point -> JSON in
      [
        "series": .string(point.series), "alpha": .number(point.alpha), "x": .number(dodged(point)),
        "value": .number(point.value.value), "lower": JSON(point.value.lower), "upper": JSON(point.value.upper),
        "runs": .int(point.value.runs),
      ]
    }
    let x: JSON = [
      "field": "x", "type": "quantitative", "title": .string(coefficient),
      "scale": ["nice": false, "zero": false, "padding": 8], "axis": ["tickCount": 6, "format": ".4~g"],
    ]
    let y: JSON = [
      "field": "value", "type": "quantitative", "title": isFirst ? .string(valueTitle) : nil,
      "scale": ["domain": JSON(domain), "reverse": .bool(isReversed), "nice": false, "zero": false],
      "axis": ["tickCount": 6, "format": ".4~g", "labels": .bool(isFirst), "ticks": .bool(isFirst)],
    ]
    var color = Palette.encoding(series, title: seriesTitle, isOrdered: true)
    if series.count > 1, !isLast { color["color"] = color["color"]?.merging(["legend": nil]) }
    func encoding(_ more: [String: JSON]) -> JSON { .object(color.merging(more) { $1 }) }
    return [
      "width": 270, "height": 250, "title": ["text": .string("\(letter)  \(title)")],
      "data": ["values": .array(rows)],
      "layer": [
        [
          "transform": [["filter": "isValid(datum.lower)"]],
          "mark": ["type": "rule", "strokeWidth": 1.3, "opacity": 0.55, "clip": true],
          "encoding": encoding(["x": x, "y": y.merging(["field": "lower"]), "y2": ["field": "upper"]]),
        ],
        ["mark": ["type": "line", "strokeWidth": 2, "clip": true], "encoding": encoding(["x": x, "y": y])],
        [
          "mark": ["type": "point", "filled": true, "size": 32, "opacity": 1, "clip": true],
          "encoding": encoding([
            "x": x, "y": y,
            "tooltip": [
              ["field": "series", "title": .string(seriesTitle)],
              ["field": "alpha", "type": "quantitative", "title": .string(symbol)],
              ["field": "value", "type": "quantitative", "format": ".4~g", "title": .string(valueTitle)],
              ["field": "lower", "type": "quantitative", "format": ".4~g", "title": "95 % from"],
              ["field": "upper", "type": "quantitative", "format": ".4~g", "title": "95 % to"],
              ["field": "runs", "type": "quantitative", "title": "runs"],
            ],
          ]),
        ],
      ],
    ]
  }

  /// The place of a point's coefficient, moved apart by a little from other curves' lest their bars hide one another.
  private func dodged(_ point: Point) -> Double {
    let index = Double(series.firstIndex(of: point.series) ?? 0)
    let step = min(0.008, 0.04 / Double(max(series.count - 1, 1)))
    return point.alpha + step * (index - Double(series.count - 1) / 2)
  }
}
