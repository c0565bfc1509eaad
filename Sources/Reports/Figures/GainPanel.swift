import Foundation
import Studies

/// Gain against a swept quantity or a noise proxy: one line for each value of what else is swept, with 95 % intervals;
/// over the tested quantity also a trend through all levels and the interior maximum. The view of one such plot.
struct GainPanel {
  let analysis: Analysis
  let measure: Measure
  let axis: Axis
  /// What tells the lines apart, and their names in order.
  let seriesAxes: [Axis]
  let names: [String]
  /// The test over this axis, where it is the one tested.
  let test: InteriorMaximum?
  let points: [Point]
  private let scale: PositionScale
  private let trend: JSON?

  /// The width in pixels of one of several panels.
  static let partWidth = 235.0

  struct Point {
    var configuration: Configuration
    var series: String
    var gain: Estimate
  }

  /// Nil where no configuration has both a position on the axis and a gain.
  init?(_ analysis: Analysis, _ measure: Measure, over axis: Axis) {
    let seriesAxes = analysis.lines.axes(over: axis)
    let points = analysis.configurations.compactMap { configuration -> Point? in
      guard let gain = Estimate(runs: configuration.gains(measure, analysis.selection)) else { return nil }
      return Point(configuration: configuration, series: analysis.lines.name(configuration, seriesAxes), gain: gain)
    }
    guard !points.isEmpty else { return nil }
    self.analysis = analysis
    self.measure = measure
    self.axis = axis
    self.seriesAxes = seriesAxes
    self.points = points
    names = analysis.lines.names(seriesAxes).filter { name in points.contains { $0.series == name } }
    let scale = PositionScale(points.map { (axis.number($0.configuration), axis.text($0.configuration)) }, axis: axis)
    self.scale = scale
    test = analysis.maxima.first { $0.measure == measure && analysis.testAxis == axis }
    trend =
      scale.isNumeric
      ? test.flatMap { Self.trend($0, analysis, over: axis, logarithmic: scale.isLogarithmic) } : nil
  }

  var hasTrend: Bool { trend != nil }

  var table: Table {
    Table(
      columns: [
        "series", "x", "gain", "lower", "upper", "runs", "interval", "configuration", "learning_rate", "batch_size",
        "noise_proxy", "_x",
      ],
      rows: points.map { point in
        [
          .string(point.series), scale.value(axis.number(point.configuration), axis.text(point.configuration)),
          .number(point.gain.value), JSON(point.gain.lower), JSON(point.gain.upper), .int(point.gain.runs),
          .string(point.gain.interval.rawValue), .string(point.configuration.label),
          .number(point.configuration.learningRate), .int(point.configuration.batchSize),
          .number(point.configuration.noiseProxy), scale.dodged(point.configuration, names, point.series),
        ]
      })
  }

  /// The view, without size: data and layers.
  ///
  /// - Parameters:
  ///   - domain: of the gain; nil chooses one for these points.
  ///   - isPart: whether this is one of several panels, which share their vertical axis and are narrow.
  func view(domain: [Double]? = nil, isPart: Bool = false, isFirst: Bool = true) -> [String: JSON] {
    let domain = domain ?? verticalDomain
    var color = Palette.encoding(names, title: seriesAxes.map(\.title).joined(separator: ", "))
    if isPart, let legend = color["color"] {
      // Below its panel: each has lines of its own.
      let columns: JSON = .int(names.count > 4 ? 3 : max(1, names.count))
      color["color"] = legend.merging([
        "legend": ["orient": "bottom", "columns": columns, "labelLimit": 100, "symbolOpacity": 1]
      ])
    }
    let chosen: JSON = .string("chosen" + (isPart ? axis.slug.split(separator: "-").map(\.capitalized).joined() : ""))
    let faded: JSON =
      names.count > 1
      ? ["condition": ["param": chosen, "value": 1, "empty": true], "value": 0.12] : ["value": 1]
    let y: JSON = [
      "field": "gain", "type": "quantitative", "title": isFirst ? .string(measure.axisTitle) : nil,
      "scale": ["domain": JSON(domain), "reverse": .bool(measure.sign < 0), "nice": false, "zero": false],
      "axis": ["format": ".4~g", "tickCount": 6, "labels": .bool(isFirst), "ticks": .bool(isFirst)],
    ]
    let x = scale.encoding(title: axis.title(exponent: analysis.results.exponent))
    var own: [String: JSON] = ["x": x.merging(["field": "_x"]), "opacity": faded]
    own.merge(color) { $1 }
    func encoding(_ more: [String: JSON]) -> JSON { .object(own.merging(more) { $1 }) }

    var layers: [JSON] = [Figure.zeroLine("y")]
    if let trend {
      layers.append([
        "data": ["values": trend],
        "mark": ["type": "line", "strokeWidth": 5, "opacity": 0.35, "clip": true, "color": "#8C8C8C"],
        "encoding": ["x": x, "y": y],
      ])
    }
    layers += [
      [
        "transform": [["filter": "isValid(datum.lower)"]], "mark": ["type": "rule", "strokeWidth": 1.2, "clip": true],
        "encoding": encoding(["y": y.merging(["field": "lower"]), "y2": ["field": "upper"]]),
      ],
      ["mark": ["type": "line", "strokeWidth": 1.8, "clip": true], "encoding": encoding(["y": y])],
      [
        "mark": ["type": "point", "filled": true, "size": 60, "clip": true],
        "params": names.count > 1
          ? [["name": chosen, "select": ["type": "point", "fields": ["series"]], "bind": "legend"]] : [],
        "encoding": encoding(["y": y, "tooltip": tooltip]),
      ],
    ]
    if let test, let best = test.best, test.verdict == .significant || test.verdict == .notSignificant {
      layers += maximumLayers(test, best, isPart: isPart, x: x, y: y, domain: domain)
    }
    return ["data": ["name": .string("points-\(axis.slug)"), "values": table.values()], "layer": .array(layers)]
  }

  private var tooltip: JSON {
    [
      ["field": "configuration", "title": "configuration"],
      ["field": "noise_proxy", "title": "S̃", "type": "quantitative", "format": ".3~g"],
      ["field": "gain", "title": "gain (\(measure.unit))", "type": "quantitative", "format": ".3~g"],
      ["field": "lower", "title": "95 % from", "type": "quantitative", "format": ".3~g"],
      ["field": "upper", "title": "95 % to", "type": "quantitative", "format": ".3~g"],
      ["field": "runs", "title": "runs", "type": "quantitative"],
    ]
  }

  /// What of the estimates and their intervals is drawn.
  var verticalDomain: [Double] { estimatesDomain(points.map(\.gain), including: [0]) }

  /// A local linear trend through the levels, by runs, as rows of x and gain; nil below four levels.
  private static func trend(
    _ test: InteriorMaximum, _ analysis: Analysis, over axis: Axis, logarithmic: Bool
  ) -> JSON? {
    guard test.levels.count >= 4, let low = test.levels.first?.from, let high = test.levels.last?.to else { return nil }
    let to: (Double) -> Double = logarithmic ? { log10($0) } : { $0 }
    let from: (Double) -> Double = logarithmic ? { pow(10, $0) } : { $0 }
    let samples = analysis.configurations.flatMap { configuration -> [(x: Double, y: Double)] in
      guard let position = axis.number(configuration) else { return [] }
      return configuration.gains(test.measure, analysis.selection).map { (to(position), $0.value) }
    }
    let (start, end) = (to(low), to(high))
    // Narrow enough to keep a peak, wide enough to reach from one value to the next.
    let bandwidth = (end - start) * max(0.05, 0.6 / Double(Set(samples.map(\.x)).count))
    let steps = 60
    return .array(
      (0...steps).map { step in
        let x = start + (end - start) * Double(step) / Double(steps)
        return ["x": .number(from(x)), "gain": .number(localLinear(samples, bandwidth: bandwidth, at: x))]
      })
  }

  /// A ring with its interval around the level reported, and a label.
  private func maximumLayers(
    _ test: InteriorMaximum, _ best: InteriorMaximum.Level, isPart: Bool, x: JSON, y: JSON, domain: [Double]
  ) -> [JSON] {
    let gain = best.gain
    let doubt = test.verdict == .significant ? "" : isPart ? " (n.s.)" : " (not significant)"
    let p = test.pValue.map { " · p \(probability($0))\(doubt)" } ?? ""
    let label = (isPart ? "" : "interior ") + (measure.sign > 0 ? "maximum" : "minimum") + p
    // Beyond the middle of the axis the label would run into the frame on the right.
    let fraction = scale.fraction(best.position)
    let side = isPart ? "center" : fraction < 0.35 ? "left" : fraction > 0.65 ? "right" : "center"
    let values: JSON = [
      [
        "x": scale.value(best.position, scale.text(best.position)), "gain": .number(gain.value),
        "lower": JSON(gain.lower.map { max($0, domain[0]) }),
        "upper": JSON(gain.upper.map { min($0, domain[1]) }), "label": .string(label),
        "edge": .number(measure.sign > 0 ? domain[1] : domain[0]),
      ]
    ]
    let data: JSON = ["values": values]
    return [
      [
        "data": data, "transform": [["filter": "isValid(datum.lower)"]],
        "mark": ["type": "rule", "strokeWidth": 7, "opacity": 0.22, "clip": true],
        "encoding": ["x": x, "y": y.merging(["field": "lower"]), "y2": ["field": "upper"]],
      ],
      [
        "data": data,
        "mark": ["type": "point", "size": 260, "filled": false, "strokeWidth": 2.5, "color": "#D00000", "opacity": 1],
        "encoding": ["x": x, "y": y],
      ],
      [
        "data": data,
        "mark": ["type": "text", "baseline": "top", "align": .string(side), "dy": 6, "fontWeight": "bold"],
        "encoding": [
          "x": isPart ? ["value": .number(Self.partWidth / 2)] : x, "y": y.merging(["field": "edge"]),
          "text": ["field": "label", "type": "nominal"],
        ],
      ],
    ]
  }
}
