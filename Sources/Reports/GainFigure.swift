import Foundation
import Studies

/// Gain against a swept quantity or against S̃ (the paper's Figure 1): one line for each value of what else is swept,
/// with 95 % intervals; over the tested quantity also a trend through all levels and the interior maximum.
struct GainFigure {
  let analysis: Analysis
  let measure: Measure
  let axis: Axis

  private struct Point {
    var configuration: Configuration
    var series: String
    var gain: Estimate
  }

  /// Nil where no configuration has both a position on the axis and a gain.
  func figure() -> Figure? {
    let seriesAxes = analysis.seriesAxes(over: axis)
    let points = analysis.configurations.compactMap { configuration -> Point? in
      guard let gain = Estimate(runs: configuration.gains(measure, analysis.selection)) else { return nil }
      return Point(configuration: configuration, series: analysis.series(configuration, seriesAxes), gain: gain)
    }
    guard !points.isEmpty else { return nil }
    let names = analysis.seriesNames(seriesAxes).filter { name in points.contains { $0.series == name } }
    let scale = PositionScale(points.map { (axis.number($0.configuration), axis.text($0.configuration)) }, axis: axis)
    let test = analysis.maxima.first { $0.measure == measure && analysis.testAxis == axis }
    let trend = scale.isNumeric ? test.flatMap { self.trend($0, logarithmic: scale.isLogarithmic) } : nil
    let domain = verticalDomain(points)

    let unit = measure.unit
    let table = Table(
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

    let color = Palette.encoding(names, title: seriesAxes.map(\.title).joined(separator: ", "))
    let faded: JSON =
      names.count > 1
      ? ["condition": ["param": "chosen", "value": 1, "empty": true], "value": 0.12] : ["value": 1]
    let y: JSON = [
      "field": "gain", "type": "quantitative", "title": .string(measure.axisTitle),
      "scale": ["domain": JSON(domain), "reverse": .bool(measure.sign < 0), "nice": false, "zero": false],
      "axis": ["format": "~g", "tickCount": 6],
    ]
    let x = scale.encoding(title: axis == .noise ? "\(axis.title)  (p = \(analysis.results.exponent))" : axis.title)
    var own: [String: JSON] = ["x": x.merging(["field": "_x"]), "opacity": faded]
    own.merge(color) { $1 }
    func encoding(_ more: [String: JSON]) -> JSON { .object(own.merging(more) { $1 }) }

    var layers: [JSON] = [
      Figure.zeroLine("y")
    ]
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
          ? [["name": "chosen", "select": ["type": "point", "fields": ["series"]], "bind": "legend"]] : [],
        "encoding": encoding([
          "y": y,
          "tooltip": [
            ["field": "configuration", "title": "configuration"],
            ["field": "noise_proxy", "title": "S̃", "type": "quantitative", "format": ".3~g"],
            ["field": "gain", "title": "gain (\(unit))", "type": "quantitative", "format": ".3~g"],
            ["field": "lower", "title": "95 % from", "type": "quantitative", "format": ".3~g"],
            ["field": "upper", "title": "95 % to", "type": "quantitative", "format": ".3~g"],
            ["field": "runs", "title": "runs", "type": "quantitative"],
          ],
        ]),
      ],
    ]
    if let test, let best = test.best, test.verdict == .significant || test.verdict == .notSignificant {
      layers += maximumLayers(test, best, scale, x: x, y: y, domain: domain)
    }
    return Figure(
      name: "\(measure == .accuracy ? "accuracy" : "loss")-gain-against-\(axis.slug)",
      title: "\(measure == .accuracy ? "Accuracy" : "Loss") gain against \(axis.title)",
      caption: caption(points, seriesAxes, test, hasTrend: trend != nil), table: table,
      view: ["data": ["name": "points", "values": table.values()], "layer": .array(layers)])
  }

  /// All estimates and 0, and of the intervals at most the span of the estimates beyond them: with two seeds an
  /// interval can be fifty times as long as anything there is to see.
  private func verticalDomain(_ points: [Point]) -> [Double] {
    let values = points.map(\.gain.value)
    let inner = paddedDomain(values, including: [0], margin: 0)
    let reach = inner[1] - inner[0]
    let ends = points.flatMap { [$0.gain.lower, $0.gain.upper] }.compactMap(\.self)
      .map { min(max($0, inner[0] - reach * 0.75), inner[1] + reach * 0.75) }
    return paddedDomain(values + ends, including: [0], margin: 0.07)
  }

  /// A local linear trend through the levels, by runs, as rows of x and gain; nil below four levels.
  private func trend(_ test: InteriorMaximum, logarithmic: Bool) -> JSON? {
    guard test.levels.count >= 4, let low = test.levels.first?.from, let high = test.levels.last?.to else { return nil }
    let to: (Double) -> Double = logarithmic ? { log10($0) } : { $0 }
    let from: (Double) -> Double = logarithmic ? { pow(10, $0) } : { $0 }
    let samples = analysis.configurations.flatMap { configuration -> [(x: Double, y: Double)] in
      guard let position = axis.number(configuration) else { return [] }
      return configuration.gains(measure, analysis.selection).map { (to(position), $0.value) }
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
    _ test: InteriorMaximum, _ best: InteriorMaximum.Level, _ scale: PositionScale, x: JSON, y: JSON, domain: [Double]
  ) -> [JSON] {
    let gain = best.gain
    let doubt = test.verdict == .significant ? "" : " (not significant)"
    let p = test.pValue.map { " · p \(probability($0))\(doubt)" } ?? ""
    let label = "interior \(measure.sign > 0 ? "maximum" : "minimum")\(p)"
    // Beyond the middle of the axis the label would run into the frame on the right.
    let fraction = scale.fraction(best.position)
    let side = fraction < 0.35 ? "left" : fraction > 0.65 ? "right" : "center"
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
        "encoding": ["x": x, "y": y.merging(["field": "edge"]), "text": ["field": "label", "type": "nominal"]],
      ],
    ]
  }

  private func caption(_ points: [Point], _ seriesAxes: [Axis], _ test: InteriorMaximum?, hasTrend: Bool) -> String {
    var text =
      measure == .accuracy
      ? "Test accuracy of the merge less that of its singles"
      : "Test loss of the merge less that of its singles (lower is better)"
    text += ", against \(axis.title)"
    if !seriesAxes.isEmpty { text += ", one line for each \(seriesAxes.map(\.title).joined(separator: " and "))" }
    text += ". \(analysis.settingText)."
    let kinds = Set(points.map(\.gain.interval))
    var bars: [String] = []
    if kinds.contains(.seeds) { bars.append("Student-t over seeds") }
    if kinds.contains(.testExamples) {
      bars.append("over test examples where there is one seed (these say nothing about other seeds)")
    }
    if !bars.isEmpty {
      text +=
        " Bars: 95 % confidence intervals, \(bars.joined(separator: ", "))" + "; cut off at the frame where longer."
    }
    if axis == .noise { text += " \(analysis.proxyText)." }
    if hasTrend { text += " Broad grey line: local linear trend through all runs." }
    if let test, let best = test.best, test.verdict == .significant || test.verdict == .notSignificant {
      text +=
        " Ring: the best level inside the range, \(InteriorMaximum.range(best, symbol: axis.shortName)), with its "
        + "interval over all runs "
        + "at that level."
    }
    return text
  }
}

/// "< 0.0001", "= 0.012".
func probability(_ p: Double) -> String {
  p < 0.0001 ? "< 0.0001" : "= " + String(format: p < 0.001 ? "%.4f" : p < 0.1 ? "%.3f" : "%.2f", p)
}

/// How positions lie along a horizontal axis: logarithmic for positive numbers over a wide range, linear for a narrow
/// one, and equally spaced for words and for numbers with a zero among them.
struct PositionScale {
  /// All positions, or none where some are words.
  let numbers: [Double]
  /// The distinct positions as text, in their order.
  let texts: [String]
  let axis: Axis
  private let textOfNumber: [Double: String]

  init(_ positions: [(number: Double?, text: String)], axis: Axis) {
    self.axis = axis
    let known = positions.compactMap { position in position.number.map { (number: $0, text: position.text) } }
    numbers = known.count == positions.count ? known.map(\.number) : []
    let sorted = numbers.isEmpty ? positions.map(\.text) : known.sorted { $0.number < $1.number }.map(\.text)
    textOfNumber = Dictionary(known.map { ($0.number, $0.text) }) { first, _ in first }
    texts = sorted.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  var isNumeric: Bool { (numbers.min() ?? 0) > 0 }

  var isLogarithmic: Bool {
    guard isNumeric, let low = numbers.min(), let high = numbers.max() else { return false }
    return high / low >= 3 || axis == .noise
  }

  func text(_ number: Double) -> String { textOfNumber[number] ?? short(number) }

  /// How far along the axis a position is, from 0 to 1.
  func fraction(_ number: Double) -> Double {
    guard isNumeric, let low = numbers.min(), let high = numbers.max(), high > low else {
      return Double(texts.firstIndex(of: text(number)) ?? 0) / Double(max(texts.count - 1, 1))
    }
    return isLogarithmic ? log(number / low) / log(high / low) : (number - low) / (high - low)
  }

  func value(_ number: Double?, _ text: String) -> JSON { isNumeric ? JSON(number) : .string(text) }

  /// The position at which a point is drawn: the lines are moved apart by a little, lest their bars hide one another.
  func dodged(_ configuration: Configuration, _ names: [String], _ name: String) -> JSON {
    guard isNumeric, let number = axis.number(configuration), let low = numbers.min(), let high = numbers.max(),
      axis != .noise, high > low, let index = names.firstIndex(of: name)
    else { return value(axis.number(configuration), axis.text(configuration)) }
    let shift = 0.012 * (Double(index) - Double(names.count - 1) / 2)
    return .number(isLogarithmic ? number * pow(high / low, shift) : number + shift * (high - low))
  }

  func encoding(title: String) -> JSON {
    guard isNumeric else {
      return [
        "field": "x", "type": "ordinal", "title": .string(title), "sort": nil,
        "scale": ["type": "point", "domain": JSON(texts), "padding": 0.5],
        "axis": ["labelAngle": 0, "labelOverlap": true, "labelLimit": .int(440 / max(texts.count, 1))],
      ]
    }
    let distinct = Set(numbers).sorted()
    guard isLogarithmic else {
      return [
        "field": "x", "type": "quantitative", "title": .string(title),
        "scale": ["domain": JSON(paddedDomain(numbers)), "nice": false, "zero": false],
        "axis": ["values": JSON(distinct.count <= 8 ? distinct : []), "format": ".3~g", "labelOverlap": true],
      ]
    }
    let domain = paddedLogDomain(numbers)
    // At most eight swept values are named themselves; S̃ takes values that nobody chose.
    let ticks = axis == .noise || distinct.count > 8 ? logTicks(domain) : distinct
    return [
      "field": "x", "type": "quantitative", "title": .string(title),
      "scale": ["type": "log", "domain": JSON(domain), "nice": false],
      "axis": ["values": JSON(ticks), "format": axis == .noise ? logFormat(domain) : ".3~g", "labelOverlap": true],
    ]
  }
}
