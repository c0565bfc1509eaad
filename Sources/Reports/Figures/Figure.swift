import Foundation

/// A figure: what it shows, the numbers behind it, and how Vega-Lite draws them.
public struct Figure: Sendable {
  /// The name of its files, without extension.
  var name: String
  var title: String
  /// What is drawn, and under which setting, in plain text.
  var caption: String
  /// The numbers drawn, with units in the names of the columns where there is one.
  var table: Table
  /// The data, encoding and layers of a Vega-Lite view, without size and style.
  var view: [String: JSON]
  /// The height of the plotting area in pixels.
  var height = 280
  /// Whether the view is a row or grid of views that have their own sizes, and takes the whole width of the page.
  var hasPanels = false

  /// Where a figure is shown.
  enum Theme: Sendable {
    /// In a file of its own: fixed width, white background.
    case file
    /// Within the page: as wide as its container, in the page's own colours, which may be light on dark.
    case page
  }

  /// The whole Vega-Lite document.
  func document(_ theme: Theme) -> JSON {
    let ink: JSON = theme == .file ? "#222222" : "currentColor"
    // Vega scales opacity of `currentColor` well; a fixed grey would be too dark or too light in one of the two
    // schemes.
    let config: JSON = [
      "font": "DejaVu Sans, Verdana, sans-serif",
      "view": ["stroke": ink, "strokeOpacity": 0.25],
      "axis": [
        "labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": "normal", "labelColor": ink, "titleColor": ink,
        "gridColor": ink, "gridOpacity": 0.09, "domain": false, "tickColor": ink, "tickOpacity": 0.4, "titlePadding": 8,
        "labelLimit": 190, "titleLimit": 420,
      ],
      "legend": [
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelColor": ink, "titleColor": ink,
        "symbolSize": 70, "labelLimit": 180, "titleLimit": 180, "gradientLength": 130,
      ],
      "title": ["color": ink, "subtitleColor": ink, "fontSize": 13, "fontWeight": "bold", "anchor": "start"],
      "concat": ["spacing": 26],
      "text": ["color": ink, "fontSize": 12],
      "rule": ["color": ink],
      "tick": ["color": ink],
    ]
    let document = JSON.object(view).merging([
      "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
      "config": config,
      "background": theme == .file ? "white" : "transparent",
      "description": .string(title),
    ])
    // Panels cannot follow the width of their container; the page scales the picture instead.
    if hasPanels { return document }
    return document.merging([
      "width": theme == .file ? 460 : "container",
      "height": .int(height),
      "autosize": theme == .file ? "pad" : ["type": "fit-x", "contains": "padding"],
    ])
  }
}

extension Figure {
  /// A figure of several views side by side, `columns` in a row, each with its own legend.
  ///
  /// - Parameter data: what views draw that have no data of their own.
  init(
    name: String, title: String, caption: String, table: Table, panels: JSON, columns: Int = 4, data: Table? = nil
  ) {
    var view: [String: JSON] = [
      "concat": panels, "columns": .int(columns),
      "resolve": ["scale": ["color": "independent", "opacity": "independent"]],
    ]
    if let data { view["data"] = ["values": data.values()] }
    self.init(name: name, title: title, caption: caption, table: table, view: view, hasPanels: true)
  }

  /// The letter of a panel: a, b, c.
  static func letter(_ index: Int) -> String { String(UnicodeScalar(UInt8(97 + index % 26))) }

  /// A dashed line across the view where `channel` ("x" or "y") has this value.
  static func line(_ channel: String, at value: Double) -> JSON {
    // One row of its own: on the view's data it would be drawn once for each row.
    [
      "data": ["values": [[:]]], "mark": ["type": "rule", "strokeDash": [4, 3], "opacity": 0.55],
      "encoding": .object([channel: ["datum": .number(value), "type": "quantitative"]]),
    ]
  }

  static func zeroLine(_ channel: String) -> JSON { line(channel, at: 0) }
}

/// The colours of Okabe and Ito (2008), which people of every colour vision tell apart; without yellow and black, which
/// vanish on a light or a dark page.
enum Palette {
  static let okabeIto = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C8C8C"]

  /// A colour for each of `series`, in their order, with a legend: distinct ones for few, a sequence for more.
  static func encoding(_ series: [String], title: String, isOrdered: Bool = false) -> [String: JSON] {
    guard series.count > 1 else { return ["color": ["value": .string(okabeIto[0])]] }
    let range =
      isOrdered || series.count > okabeIto.count ? sequence(series.count) : Array(okabeIto.prefix(series.count))
    // The first mark drawn may be a faint bar, which would make the legend's symbols as faint.
    var legend: JSON = ["symbolOpacity": 1]
    if series.count > 14 { legend = legend.merging(["columns": 2, "labelLimit": 120]) }
    return [
      "color": [
        "field": "series", "type": "ordinal", "title": title.isEmpty ? nil : .string(title), "sort": nil,
        "scale": ["domain": JSON(series), "range": JSON(range)], "legend": legend,
      ]
    ]
  }

  /// The same for lines: of more series than there are colours the others are dashed, since neighbours in a sequence look alike.
  static func lines(_ series: [String], title: String) -> [String: JSON] {
    let dashes: [JSON] = [[1, 0], [5, 3], [1.5, 2.5]]
    guard series.count > okabeIto.count, series.count <= dashes.count * okabeIto.count else {
      return encoding(series, title: title)
    }
    func channel(_ range: [JSON]) -> JSON {
      [
        "field": "series", "type": "nominal", "title": .string(title), "sort": nil,
        "scale": ["domain": JSON(series), "range": .array(range)],
        "legend": ["symbolOpacity": 1, "symbolType": "stroke", "symbolSize": 320],
      ]
    }
    return [
      "color": channel(series.indices.map { .string(okabeIto[$0 % okabeIto.count]) }),
      "strokeDash": channel(series.indices.map { dashes[$0 / okabeIto.count] }),
    ]
  }

  /// Viridis without its yellow end and with a lighter dark one: those vanish on a light or a dark page.
  private static let viridis: [[Double]] = [
    [0x5B, 0x4E, 0xA2], [0x46, 0x62, 0xA3], [0x2F, 0x78, 0x9B], [0x24, 0x8C, 0x90], [0x1F, 0x9E, 0x89],
    [0x35, 0xB7, 0x79], [0x6E, 0xCE, 0x58], [0xA0, 0xDA, 0x39],
  ]

  /// `count` colours in a sequence from dark to light.
  static func sequence(_ count: Int) -> [String] {
    (0..<count).map { index in
      let place = Double(index) / Double(max(count - 1, 1)) * Double(viridis.count - 1)
      let (low, high) = (Int(place.rounded(.down)), Int(place.rounded(.up)))
      let rgb = (0..<3).map { viridis[low][$0] + (place - Double(low)) * (viridis[high][$0] - viridis[low][$0]) }
      return "#" + rgb.map { String(format: "%02X", Int($0.rounded())) }.joined()
    }
  }
}

/// Data range with a margin, as a Vega scale domain, that includes `always`.
func paddedDomain(_ values: [Double], including always: [Double] = [], margin: Double = 0.06) -> [Double] {
  let all = (values + always).filter(\.isFinite)
  guard let low = all.min(), let high = all.max() else { return [0, 1] }
  let span = high > low ? high - low : max(abs(high), 1) * 0.1
  return [low - margin * span, high + margin * span]
}

/// All estimates and `always`, and of the intervals at most three quarters of that span beyond it: with two seeds an
/// interval can be fifty times as long as anything there is to see.
/// - Parameter possible: the values there can be, which an interval may leave and the axis does not.
func estimatesDomain(
  _ estimates: [Estimate], including always: [Double] = [], possible: ClosedRange<Double> = -.infinity ... .infinity
) -> [Double] {
  let values = estimates.map(\.value)
  let inner = paddedDomain(values, including: always, margin: 0)
  let reach = inner[1] - inner[0]
  let ends = estimates.flatMap { [$0.lower, $0.upper] }.compactMap(\.self)
    .map { min(max($0, inner[0] - reach * 0.75), inner[1] + reach * 0.75) }
  let domain = paddedDomain(values + ends, including: always, margin: 0.07)
  // Room for half a point at the end.
  let margin = 0.02 * (domain[1] - domain[0])
  return [max(domain[0], possible.lowerBound - margin), min(domain[1], possible.upperBound + margin)]
}

/// The same on a logarithmic scale; `values` are positive.
func paddedLogDomain(_ values: [Double], margin: Double = 0.06) -> [Double] {
  paddedDomain(values.filter { $0 > 0 }.map(log10), margin: margin).map { pow(10, $0) }
}

/// Ticks for a logarithmic axis over `domain`: powers of ten, with 2 and 5 between them where there are few.
func logTicks(_ domain: [Double]) -> [Double] {
  guard domain.count == 2, domain[0] > 0, domain[1] > domain[0] else { return [] }
  let exponents = Int(log10(domain[0]).rounded(.down))...Int(log10(domain[1]).rounded(.up))
  func ticks(_ factors: [Double]) -> [Double] {
    exponents.flatMap { exponent in factors.map { $0 * pow(10, Double(exponent)) } }
      .filter { $0 >= domain[0] && $0 <= domain[1] }
  }
  let decades = ticks([1])
  return decades.count >= 4 ? decades : decades.count >= 2 ? ticks([1, 3]) : ticks([1, 2, 5])
}

/// How to write values that were chosen, such as learning rates: with a power of ten where decimals would be long.
func valueFormat(_ values: [Double]) -> JSON {
  (values.filter { $0 > 0 }.min() ?? 1) < 1e-4 ? ".3~e" : ".3~g"
}

/// How to write the ticks of a logarithmic axis: as decimals where they stay short, otherwise with a power of ten.
func logFormat(_ domain: [Double]) -> JSON {
  domain.allSatisfy { $0 >= 5e-6 && $0 < 1e6 } ? "~g" : "~e"
}
