import Foundation
import Support

/// The colours of Okabe and Ito (2008), which people with any colour vision can tell apart, without yellow and black,
/// which vanish on a light or a dark page.
enum Palette {
  static let okabeIto = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C8C8C"]

  /// For what readers should look at, such as medians.
  static let red: JSON = "#D00000"
  static let grey: JSON = "#8C8C8C"
  static let blue: JSON = .text(okabeIto[0])

  enum Legend {
    case usual
    /// Another panel has it.
    case hidden
    /// With these fields of a Vega-Lite legend.
    case with([String: JSON])
  }

  /// A colour for each of `series`, in their order: distinct colours for a few, a sequence for more.
  ///
  /// - Parameters:
  ///   - title: the legend's title
  ///   - isOrdered: whether the series are in an order and so get a sequence
  static func encoding(
    _ series: [String], title: String, isOrdered: Bool = false, legend: Legend = .usual
  ) -> [String: JSON] {
    guard series.count > 1 else { return ["color": ["value": blue]] }
    let range =
      isOrdered || series.count > okabeIto.count ? sequence(series.count) : Array(okabeIto.prefix(series.count))
    // The first mark drawn may be a faint bar, which would make the legend's symbols as faint.
    let usual: JSON = ["symbolOpacity": 1]
    let fields: JSON =
      switch legend {
      case .usual: series.count > 14 ? usual.merging(["columns": 2, "labelLimit": 120]) : usual
      case .with(let own): usual.merging(own)
      case .hidden: nil
      }
    return [
      "color": [
        "field": "series", "type": "ordinal", "title": title.isEmpty ? nil : .text(title), "sort": nil,
        "scale": ["domain": JSON(series), "range": JSON(range)], "legend": fields,
      ]
    ]
  }

  /// The same for lines: if there are more series than colours, the others are dashed, since neighbours in a sequence
  /// look alike.
  static func lines(_ series: [String], title: String) -> [String: JSON] {
    let dashes: [JSON] = [[1, 0], [5, 3], [1.5, 2.5]]
    guard series.count > okabeIto.count, series.count <= dashes.count * okabeIto.count else {
      return encoding(series, title: title)
    }
    func channel(_ range: [JSON]) -> JSON {
      [
        "field": "series", "type": "nominal", "title": .text(title), "sort": nil,
        "scale": ["domain": JSON(series), "range": JSON(range)],
        "legend": ["symbolOpacity": 1, "symbolType": "stroke", "symbolSize": 320],
      ]
    }
    return [
      "color": channel(series.indices.map { .text(okabeIto[$0 % okabeIto.count]) }),
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
