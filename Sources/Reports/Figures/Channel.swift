import Foundation
import Support

/// Vega-Lite channels: how a field of the rows is drawn.
enum Channel {
  /// Numbers along an axis.
  ///
  /// - Parameters:
  ///   - scale: `range` of a domain, or another Vega-Lite scale
  ///   - format: of the labels; nil leaves it to Vega-Lite
  ///   - isLabelled: false for panels that share the labels and the title of the first in their row
  static func numbers(
    _ field: String, _ title: String?, _ scale: JSON, format: String? = ".4~g", ticks: Int = 6, isLabelled: Bool? = nil
  ) -> JSON {
    var axis: [String: JSON] = ["tickCount": .number(ticks)]
    axis["format"] = format.map { .text($0) }
    if let isLabelled { (axis["labels"], axis["ticks"]) = (.truth(isLabelled), .truth(isLabelled)) }
    return [
      "field": .text(field), "type": "quantitative", "title": isLabelled == false ? nil : .text(title),
      "scale": scale, "axis": JSON(axis),
    ]
  }

  /// A linear scale over exactly this domain.
  ///
  /// - Parameter isReversed: whether lower values stand higher; nil leaves it to Vega-Lite
  static func range(_ domain: [Double], isReversed: Bool? = nil) -> JSON {
    let scale: JSON = ["domain": JSON(domain), "nice": false, "zero": false]
    return isReversed.map { scale.merging(["reverse": .truth($0)]) } ?? scale
  }

  /// Positive numbers along a logarithmic axis.
  ///
  /// - Parameter ticks: nil chooses them
  static func logarithmic(
    _ field: String, _ title: String?, _ domain: [Double], ticks: [Double]? = nil, format: String, overlap: JSON = true
  ) -> JSON {
    [
      "field": .text(field), "type": "quantitative", "title": .text(title),
      "scale": ["type": "log", "domain": JSON(domain), "nice": false],
      "axis": [
        "values": JSON(ticks ?? logTicks(domain)), "format": .text(format), "labelOverlap": overlap,
      ],
    ]
  }

  /// Words along an axis, in this order.
  ///
  /// - Parameters:
  ///   - scale: `point` or `band` with its padding; nil leaves it to Vega-Lite
  ///   - axis: the other fields of a Vega-Lite axis
  static func words(
    _ field: String, _ title: String?, _ names: [String], scale: JSON? = nil, axis: JSON? = nil
  ) -> JSON {
    var channel: [String: JSON] = [
      "field": .text(field), "type": "ordinal", "sort": JSON(names), "title": .text(title),
    ]
    channel["scale"] = scale?.merging(["domain": JSON(names)])
    channel["axis"] = axis
    return JSON(channel)
  }

  static let points: JSON = ["type": "point", "padding": 0.5]
  static let bands: JSON = ["type": "band", "padding": 0.2]

  /// Labels that are turned where together they are longer than `most` characters.
  static func labels(_ names: [String], most: Int, limit: Int) -> JSON {
    [
      "labelAngle": names.map(\.count).reduce(0, +) > most ? -40 : 0, "labelLimit": .number(limit),
      "labelOverlap": false,
    ]
  }

  /// A tooltip's line for a number.
  static func told(_ field: String, _ title: String? = nil, _ format: String? = nil) -> JSON {
    var line: [String: JSON] = ["field": .text(field), "type": "quantitative"]
    line["title"] = title.map { .text($0) }
    line["format"] = format.map { .text($0) }
    return JSON(line)
  }

  /// A tooltip's lines for an estimate, its interval and the number of runs.
  static func told(estimate field: String, _ title: String, _ format: String) -> [JSON] {
    [told(field, title, format)] + interval(format) + [told("runs", "runs")]
  }

  static func interval(_ format: String) -> [JSON] {
    [told("lower", "95 % from", format), told("upper", "95 % to", format)]
  }
}
