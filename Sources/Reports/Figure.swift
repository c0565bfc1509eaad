import Foundation

/// A figure: what it shows, the numbers behind it, and how Vega-Lite draws them.
struct Figure: Sendable {
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
      "text": ["color": ink, "fontSize": 12],
      "rule": ["color": ink],
      "tick": ["color": ink],
    ]
    return JSON.object(view).merging([
      "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
      "config": config,
      "background": theme == .file ? "white" : "transparent",
      "width": theme == .file ? 460 : "container",
      "height": .int(height),
      "autosize": theme == .file ? "pad" : ["type": "fit-x", "contains": "padding"],
      "description": .string(title),
    ])
  }
}

extension Figure {
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

  /// A colour and a shape for each of `series`, in their order, with one legend for both.
  static func encoding(_ series: [String], title: String) -> [String: JSON] {
    guard series.count > 1 else { return ["color": ["value": .string(okabeIto[0])]] }
    let few = series.count <= okabeIto.count
    let range: JSON = few ? JSON(Array(okabeIto.prefix(series.count))) : ["scheme": "viridis"]
    let scale: [String: JSON] = ["domain": JSON(series)]
    return [
      "color": [
        "field": "series", "type": "ordinal", "title": .string(title), "sort": nil,
        "scale": .object(scale.merging(few ? ["range": range] : ["scheme": "viridis"]) { $1 }),
      ]
    ]
  }
}

/// Data range with a margin, as a Vega scale domain, that includes `always`.
func paddedDomain(_ values: [Double], including always: [Double] = [], margin: Double = 0.06) -> [Double] {
  let all = (values + always).filter(\.isFinite)
  guard let low = all.min(), let high = all.max() else { return [0, 1] }
  let span = high > low ? high - low : max(abs(high), 1) * 0.1
  return [low - margin * span, high + margin * span]
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

/// How to write the ticks of a logarithmic axis: as decimals where they stay short, otherwise with a power of ten.
func logFormat(_ domain: [Double]) -> JSON {
  domain.allSatisfy { $0 >= 1e-6 && $0 < 1e6 } ? "~g" : "~e"
}
