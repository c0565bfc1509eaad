import Foundation
import Landscape

/// Loss and accuracy along paths between weights, a line for each (the paper's Figure 24, with a line for each branch point).
public struct PathFigure: Sendable {
  /// One line: a path, or the mean over several of one kind.
  public struct Curve: Sendable {
    public var series: String
    /// Over the same positions
    public var measures: [PathMeasure]

    public init(series: String, measures: [PathMeasure]) { (self.series, self.measures) = (series, measures) }
  }

  /// The name of its files, without extension.
  public var name: String
  public var title: String
  public var curves: [Curve]
  /// What tells the curves apart, above the legend: "branch epoch"
  public var quantity: String
  /// Whether the curves are in an order, and so get a sequence of colours.
  public var isOrdered: Bool
  /// Network, data and what was done about BatchNorm.
  public var setting: String

  public init(
    name: String = "path", title: String = "Loss and accuracy along the path", curves: [Curve], quantity: String = "",
    isOrdered: Bool = false, setting: String
  ) {
    (self.name, self.title, self.curves, self.quantity) = (name, title, curves, quantity)
    (self.isOrdered, self.setting) = (isOrdered, setting)
  }

  private enum Value: CaseIterable {
    case trainLoss, testLoss, trainAccuracy, testAccuracy

    var title: String {
      switch self {
      case .trainLoss: "training loss, nats"
      case .testLoss: "test loss, nats"
      case .trainAccuracy: "training accuracy, %"
      case .testAccuracy: "test accuracy, %"
      }
    }

    var column: String {
      switch self {
      case .trainLoss: "train_loss_nats"
      case .testLoss: "test_loss_nats"
      case .trainAccuracy: "train_accuracy"
      case .testAccuracy: "test_accuracy"
      }
    }

    /// As it stands in tables.
    func plain(_ point: PointMeasure) -> Double? {
      switch self {
      case .trainLoss: point.train?.loss
      case .testLoss: point.test?.loss
      case .trainAccuracy: point.train?.accuracy
      case .testAccuracy: point.test?.accuracy
      }
    }

    /// As it is drawn.
    func drawn(_ point: PointMeasure) -> Double? {
      let isAccuracy = self == .trainAccuracy || self == .testAccuracy
      return plain(point).map { isAccuracy ? 100 * $0 : $0 }
    }
  }

  private var values: [Value] {
    Value.allCases.filter { value in
      curves.contains { $0.measures.contains { $0.points.contains { value.plain($0) != nil } } }
    }
  }

  /// The mean over the measures of a curve at each position, with a 95 % interval where there are several.
  private func estimates(_ curve: Curve, _ value: Value) -> [(position: Double, value: Estimate)] {
    let positions = curve.measures.first?.positions ?? []
    return positions.indices.compactMap { index in
      let values = curve.measures.compactMap { measure in
        measure.points.indices.contains(index) ? value.drawn(measure.points[index]) : nil
      }
      return Estimate(overSeeds: values).map { (positions[index], $0) }
    }
  }

  public func figure() -> Figure {
    let values = values
    let panels = values.enumerated().map { panel($0.element, index: $0.offset, of: values.count) }
    let repeats = curves.map(\.measures.count).max() ?? 1
    return Figure(
      name: name, title: title,
      caption: "Along θ(λ) from the first (λ = 0) to the second network (λ = 1)"
        + (repeats > 1 ? "; lines are means over \(repeats) pairs, bands 95 % confidence intervals (Student-t)" : "")
        + ". Dashed: the straight line between the values at the ends, above which the loss has a barrier and below which a valley. "
        + setting + ".",
      table: table, panels: .array(panels), columns: 2)
  }

  private var table: Table {
    Table(
      columns: ["series", "pair", "lambda"] + Value.allCases.map(\.column),
      rows: curves.flatMap { curve in
        curve.measures.enumerated().flatMap { index, measure in
          zip(measure.positions, measure.points).map { position, point in
            [.string(curve.series), .int(index), .number(position)] + Value.allCases.map { JSON($0.plain(point)) }
          }
        }
      })
  }

  private func panel(_ value: Value, index: Int, of count: Int) -> JSON {
    let lines = curves.map { ($0.series, estimates($0, value)) }
    let rows = lines.flatMap { series, points in
      points.map { point -> JSON in
        [
          "series": .string(series), "lambda": .number(point.position), "value": .number(point.value.value),
          "lower": JSON(point.value.lower), "upper": JSON(point.value.upper),
        ]
      }
    }
    let chords = lines.flatMap { series, points -> [JSON] in
      guard let first = points.first, let last = points.last else { return [] }
      return [first, last].map {
        ["series": .string(series), "lambda": .number($0.position), "value": .number($0.value.value)]
      }
    }
    let domain = estimatesDomain(lines.flatMap { $0.1.map(\.value) })
    let x: JSON = [
      "field": "lambda", "type": "quantitative", "title": "λ",
      "scale": ["domain": [0, 1], "nice": false], "axis": ["tickCount": 5],
    ]
    let y: JSON = [
      "field": "value", "type": "quantitative", "title": .string(value.title),
      "scale": ["domain": JSON(domain), "nice": false, "zero": false], "axis": ["tickCount": 6, "format": ".4~g"],
    ]
    let legend: JSON? = curves.count > 1 ? ["symbolOpacity": 1, "labelLimit": 340] : nil
    var color = Palette.encoding(curves.map(\.series), title: quantity, isOrdered: isOrdered)
    if let legend { color["color"] = color["color"]?.merging(["legend": legend]) }
    // One legend serves all panels.
    if curves.count > 1, index != min(1, count - 1) { color["color"] = color["color"]?.merging(["legend": nil]) }
    func encoding(_ more: [String: JSON]) -> JSON { .object(color.merging(more) { $1 }) }
    return [
      "width": 300, "height": 220, "title": ["text": .string("\(Figure.letter(index))  \(value.title)")],
      "data": ["values": .array(rows)],
      "layer": [
        [
          "transform": [["filter": "isValid(datum.lower)"]],
          "mark": ["type": "area", "opacity": 0.15, "clip": true],
          "encoding": encoding(["x": x, "y": y.merging(["field": "lower"]), "y2": ["field": "upper"]]),
        ],
        [
          "data": ["values": .array(chords)],
          "mark": ["type": "line", "strokeWidth": 1.2, "strokeDash": [4, 3], "opacity": 0.6, "clip": true],
          "encoding": encoding(["x": x, "y": y]),
        ],
        ["mark": ["type": "line", "strokeWidth": 2, "clip": true], "encoding": encoding(["x": x, "y": y])],
        [
          "mark": ["type": "point", "filled": true, "size": 22, "opacity": 1, "clip": true],
          "encoding": encoding([
            "x": x, "y": y,
            "tooltip": [
              ["field": "series", "title": .string(quantity.isEmpty ? "path" : quantity)],
              ["field": "lambda", "type": "quantitative", "format": ".3~f", "title": "λ"],
              ["field": "value", "type": "quantitative", "format": ".5~g", "title": .string(value.title)],
            ],
          ]),
        ],
      ],
    ]
  }
}
