import Support

/// The channels that the layers of a view share, and the layers that most views are made of.
struct Marks {
  var channels: [String: JSON]

  /// - Parameter more: other channels, such as a colour from `Palette`
  init(x: JSON, y: JSON, _ more: [String: JSON] = [:]) { channels = more.merging(["x": x, "y": y]) { $1 } }

  /// A layer of one type of mark.
  ///
  /// - Parameters:
  ///   - style: the other fields of the mark
  ///   - own: channels of this layer alone
  ///   - rows: its data, where they are not the view's
  func mark(_ type: JSON, _ style: [String: JSON] = [:], _ own: [String: JSON] = [:], rows: [JSON]? = nil) -> JSON {
    let layer = JSON(fields(type, style, own))
    return rows.map { layer.merging(["data": ["values": JSON($0)]]) } ?? layer
  }

  /// The same, as the fields of a view without layers.
  func fields(_ type: JSON, _ style: [String: JSON] = [:], _ own: [String: JSON] = [:]) -> [String: JSON] {
    ["mark": JSON(style.merging(["type": type]) { $1 }), "encoding": JSON(channels.merging(own) { $1 })]
  }

  func line(_ style: [String: JSON], _ own: [String: JSON] = [:], rows: [JSON]? = nil) -> JSON {
    mark("line", style, own, rows: rows)
  }

  /// - Parameter size: their area in square pixels
  func points(_ size: Int, _ style: [String: JSON] = [:], _ own: [String: JSON] = [:], rows: [JSON]? = nil) -> JSON {
    mark("point", ["filled": true, "size": .number(size)].merging(style) { $1 }, own, rows: rows)
  }

  /// The intervals along the vertical axis, from one field to another, of the rows that have one.
  func intervals(
    _ style: [String: JSON], as type: JSON = "rule", from lower: String = "lower", to upper: String = "upper",
    rows: [JSON]? = nil
  ) -> JSON {
    let ends: [String: JSON] = [
      "y": (channels["y"] ?? [:]).merging(["field": .text(lower)]), "y2": ["field": .text(upper)],
    ]
    return mark(type, style, ends, rows: rows).merging(["transform": [["filter": .text("isValid(datum.\(lower))")]]])
  }

  /// A dashed line across the view where `channel` ("x" or "y") is 0, or has another value.
  static func rule(_ channel: String, at value: Double = 0) -> JSON {
    // One row of its own: on the view's data it would be drawn once for each row.
    [
      "data": ["values": [[:]]], "mark": ["type": "rule", "strokeDash": [4, 3], "opacity": 0.55],
      "encoding": JSON([channel: ["datum": .number(value), "type": "quantitative"]]),
    ]
  }
}

/// Estimates as parts of rows.
extension Estimate {
  /// Value and both ends of the interval, as fields of a view's row.
  var fields: [String: JSON] { ["value": .number(value), "lower": .number(lower), "upper": .number(upper)] }

  /// Value, both ends of the interval, and the number of runs, as cells of a table.
  var cells: [Table.Cell] { [.number(value), .number(lower), .number(upper), .number(runs)] }
}
