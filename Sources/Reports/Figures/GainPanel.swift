import Foundation
import Studies
import Support

/// A plot of gain against a swept quantity or a noise proxy: one line for each value of what else is swept, with 95 %
/// intervals, and over the tested quantity a trend through all levels and the interior maximum.
struct GainPanel {
  let analysis: Analysis
  let measure: Measure
  let axis: Axis
  /// What tells the lines apart, and their names in order.
  let seriesAxes: [Axis]
  let names: [String]
  /// The test over this axis, if this is the axis that is tested.
  let test: InteriorMaximum?
  let points: [Point]
  private let scale: PositionScale
  private let trend: [JSON]

  /// The width in pixels of one of several panels.
  static let partWidth = 235.0

  struct Point {
    var configuration: Configuration
    var series: String
    var gain: Estimate
  }

  /// Nil where no configuration has a gain.
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
      ? test.map { Self.trend($0, analysis, over: axis, logarithmic: scale.isLogarithmic) } ?? [] : []
  }

  var hasTrend: Bool { !trend.isEmpty }

  var table: Table {
    Table(
      columns: [
        "series", "x", "gain", "lower", "upper", "runs", "interval", "configuration", "learning_rate", "batch_size",
        "noise_proxy", "_x",
      ],
      rows: points.map { point in
        let configuration = point.configuration
        return [.text(point.series), scale.value(axis.number(configuration), axis.text(configuration))]
          + point.gain.cells + [
            .text(point.gain.interval.rawValue), .text(configuration.label), .number(configuration.learningRate),
            .number(configuration.batchSize), .number(configuration.noiseProxy),
            scale.dodged(configuration, names, point.series),
          ]
      })
  }

  /// The view, without size: data and layers.
  ///
  /// - Parameter isPart: whether this is one of several panels, which are narrow and share the first one's labels.
  func view(isPart: Bool = false, isFirst: Bool = true) -> [String: JSON] {
    let domain = verticalDomain
    // Below its panel, since each panel has its own lines.
    let below: [String: JSON] = [
      "orient": "bottom", "columns": .number(names.count > 4 ? 3 : max(1, names.count)), "labelLimit": 100,
    ]
    let chosen: JSON = .text("chosen" + (isPart ? axis.slug.split(separator: "-").map(\.capitalized).joined() : ""))
    let faded: JSON =
      names.count > 1
      ? ["condition": ["param": chosen, "value": 1, "empty": true], "value": 0.12] : ["value": 1]
    let x = scale.encoding(title: axis.title(exponent: analysis.results.exponent))
    let y = Channel.numbers(
      "gain", measure.axisTitle, Channel.range(domain, isReversed: measure.sign < 0), isLabelled: isFirst)
    var channels = Palette.encoding(names, title: seriesAxes.title, legend: isPart ? .with(below) : .usual)
    channels["opacity"] = faded
    let marks = Marks(x: x.merging(["field": "_x"]), y: y, channels)
    let plain = Marks(x: x, y: y)
    let tooltip: [JSON] =
      [["field": "configuration", "title": "configuration"], Channel.told("noise_proxy", "S̃", ".3~g")]
      + Channel.told(estimate: "gain", "gain (\(measure.unit))", ".3~g")
    var layers: [JSON] = [Marks.rule("y")]
    if hasTrend {
      let style: [String: JSON] = ["strokeWidth": 5, "opacity": 0.35, "clip": true, "color": Palette.grey]
      layers.append(plain.line(style, rows: trend))
    }
    layers += [
      marks.intervals(["strokeWidth": 1.2, "clip": true]),
      marks.line(["strokeWidth": 1.8, "clip": true]),
      marks.points(60, ["clip": true], ["tooltip": JSON(tooltip)]).merging([
        "params": names.count > 1
          ? [["name": chosen, "select": ["type": "point", "fields": ["series"]], "bind": "legend"]] : []
      ]),
    ]
    if let test, let best = test.inside { layers += ring(test, best, isPart: isPart, plain, domain: domain) }
    return ["data": ["name": .text("points-\(axis.slug)"), "values": table.values()], "layer": JSON(layers)]
  }

  /// The range of gains that is drawn.
  var verticalDomain: [Double] { estimatesDomain(points.map(\.gain), including: [0]) }

  /// A local linear trend through the levels, by runs, as rows of x and gain; none below four levels.
  private static func trend(
    _ test: InteriorMaximum, _ analysis: Analysis, over axis: Axis, logarithmic: Bool
  ) -> [JSON] {
    guard test.levels.count >= 4, let low = test.levels.first?.from, let high = test.levels.last?.to else { return [] }
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
    return (0...steps).map { step in
      let x = start + (end - start) * Double(step) / Double(steps)
      return ["x": .number(from(x)), "gain": .number(localLinear(samples, bandwidth: bandwidth, at: x))]
    }
  }

  /// A ring with its interval around the level reported, and a label.
  private func ring(
    _ test: InteriorMaximum, _ best: InteriorMaximum.Level, isPart: Bool, _ marks: Marks, domain: [Double]
  ) -> [JSON] {
    let gain = best.gain
    let doubt = test.verdict == .significant ? "" : isPart ? " (n.s.)" : " (not significant)"
    let p = test.pValue.map { " · p \(probability($0))\(doubt)" } ?? ""
    let label = (isPart ? "" : "interior ") + (measure.sign > 0 ? "maximum" : "minimum") + p
    // Beyond the middle of the axis the label would run into the frame on the right.
    let fraction = scale.fraction(best.position)
    let side: JSON = isPart ? "center" : fraction < 0.35 ? "left" : fraction > 0.65 ? "right" : "center"
    let rows: [JSON] = [
      [
        "x": scale.value(best.position, scale.text(best.position)).json, "gain": .number(gain.value),
        "lower": .number(gain.lower.map { max($0, domain[0]) }),
        "upper": .number(gain.upper.map { min($0, domain[1]) }), "label": .text(label),
        "edge": .number(measure.sign > 0 ? domain[1] : domain[0]),
      ]
    ]
    var text: [String: JSON] = [
      "y": (marks.channels["y"] ?? [:]).merging(["field": "edge"]), "text": ["field": "label", "type": "nominal"],
    ]
    if isPart { text["x"] = ["value": .number(Self.partWidth / 2)] }
    return [
      marks.intervals(["strokeWidth": 7, "opacity": 0.22, "clip": true], rows: rows),
      marks.points(260, ["filled": false, "strokeWidth": 2.5, "color": Palette.red, "opacity": 1], rows: rows),
      marks.mark("text", ["baseline": "top", "align": side, "dy": 6, "fontWeight": "bold"], text, rows: rows),
    ]
  }
}
