import Foundation
import Landscape

/// Loss and error on planes of weight space, with contours and the points that span them (the paper's Figure 27).
public struct PlaneFigure: Sendable {
  public struct Panel: Sendable {
    /// Nothing for a figure of one plane.
    public var title: String
    public var plane: PlaneMeasure

    public init(title: String = "", plane: PlaneMeasure) { (self.title, self.plane) = (title, plane) }
  }

  public enum Value: String, CaseIterable, Sendable {
    case trainLoss, testLoss, trainError, testError

    var title: String {
      switch self {
      case .trainLoss: "training loss, nats"
      case .testLoss: "test loss, nats"
      case .trainError: "training error, %"
      case .testError: "test error, %"
      }
    }

    func callAsFunction(_ point: PointMeasure) -> Double? {
      switch self {
      case .trainLoss: point.train?.loss
      case .testLoss: point.test?.loss
      case .trainError: point.train.map { 100 * (1 - $0.accuracy) }
      case .testError: point.test.map { 100 * (1 - $0.accuracy) }
      }
    }
  }

  /// The name of its files, without extension.
  public var name: String
  public var title: String
  public var panels: [Panel]
  /// What is drawn of each plane; those that were not measured are left out.
  public var values: [Value]
  /// Network, data and what was done about BatchNorm.
  public var setting: String
  /// What the axes are in.
  public var axes: (x: String, y: String)

  public init(
    name: String = "plane", title: String = "The loss on a plane of weight space", panels: [Panel],
    values: [Value] = [.trainLoss, .testLoss, .testError], setting: String,
    axes: (x: String, y: String) = ("distance along B − A", "distance orthogonal to it")
  ) {
    (self.name, self.title, self.panels, self.values) = (name, title, panels, values)
    (self.setting, self.axes) = (setting, axes)
  }

  public func figure() -> Figure {
    let drawn = panels.flatMap { panel in
      values.filter { value in panel.plane.points.contains { value($0) != nil } }.map { (panel, $0) }
    }
    let views = drawn.enumerated().map { view($0.element.0, $0.element.1, index: $0.offset) }
    return Figure(
      name: name, title: title,
      caption:
        "A cell for each point measured; white lines join equal values, labelled with them; circles are the networks. "
        + panels.map(\.plane).map(Self.outside).joined()
        + "Colours are logarithmic where values span more than a factor of eight. \(setting).",
      table: table, panels: .array(views), columns: min(3, max(1, drawn.count)))
  }

  private static func outside(_ plane: PlaneMeasure) -> String {
    plane.marks.filter(plane.isOutside).map { mark in
      "\(mark.name) lies beyond the grid, at α = \(short(mark.alpha, digits: 3)), β = \(short(mark.beta, digits: 3)). "
    }.joined()
  }

  private var table: Table {
    Table(
      columns: [
        "plane", "alpha", "beta", "x_distance", "y_distance", "train_loss_nats", "train_accuracy", "test_loss_nats",
        "test_accuracy",
      ],
      rows: panels.flatMap { panel in
        let plane = panel.plane
        return plane.points.enumerated().map { index, point in
          let alpha = plane.alphas[index % plane.alphas.count]
          let beta = plane.betas[index / plane.alphas.count]
          return [
            .string(panel.title), .number(alpha), .number(beta), .number(alpha * plane.alphaLength),
            .number(beta * plane.betaLength), JSON(point.train?.loss), JSON(point.train?.accuracy),
            JSON(point.test?.loss), JSON(point.test?.accuracy),
          ]
        }
      })
  }

  /// Half way to the neighbours on both sides of each coordinate.
  private func edges(_ centres: [Double]) -> [(Double, Double)] {
    let step = centres.count > 1 ? centres[1] - centres[0] : 1
    return centres.map { ($0 - step / 2, $0 + step / 2) }
  }

  private func view(_ panel: Panel, _ value: Value, index: Int) -> JSON {
    let plane = panel.plane
    let xs = plane.alphas.map { $0 * plane.alphaLength }
    let ys = plane.betas.map { $0 * plane.betaLength }
    let values = plane.points.map { value($0) ?? .nan }
    let finite = values.filter(\.isFinite)
    let (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
    let isLogarithmic = low > 0 && high > 8 * low
    let (xEdges, yEdges) = (edges(xs), edges(ys))
    let cells = values.enumerated().compactMap { index, value -> JSON? in
      guard value.isFinite else { return nil }
      let (x, y) = (xEdges[index % xs.count], yEdges[index / xs.count])
      return [
        // Each a little over the next, lest seams show.
        "x": .number(x.0), "x2": .number(x.1 + (x.1 - x.0) * 0.04), "y": .number(y.0),
        "y2": .number(y.1 + (y.1 - y.0) * 0.04), "value": .number(value),
        "alpha": .number(plane.alphas[index % xs.count]), "beta": .number(plane.betas[index / xs.count]),
      ]
    }
    let contours = ContourLines(xs: xs, ys: ys, values: isLogarithmic ? values.map(log) : values)
    func plain(_ level: Double) -> Double { isLogarithmic ? exp(level) : level }
    let levels = contours.levels(8)
    let lines = levels.map { contours.segments(at: $0) }
    let segments = lines.joined().map { segment -> JSON in
      ["x": .number(segment.x1), "y": .number(segment.y1), "x2": .number(segment.x2), "y2": .number(segment.y2)]
    }
    let taken = plane.marks.map { (x: $0.alpha * plane.alphaLength, y: $0.beta * plane.betaLength) }
    let labels = zip(levels, contours.labelPlaces(lines, awayFrom: taken)).compactMap { level, place -> JSON? in
      place.map { ["x": .number($0.x), "y": .number($0.y), "text": .string(short(plain(level), digits: 3))] }
    }
    // A mark beyond the frame would stretch the picture to where it is.
    let marks = plane.marks.filter { !plane.isOutside($0) }.map { mark -> JSON in
      [
        "x": .number(mark.alpha * plane.alphaLength), "y": .number(mark.beta * plane.betaLength),
        "name": .string(mark.name),
      ]
    }
    let spans = (xEdges.last.map { $0.1 - xEdges[0].0 } ?? 1, yEdges.last.map { $0.1 - yEdges[0].0 } ?? 1)
    let width = 250.0
    let height = min(420, max(130, (width * spans.1 / spans.0).rounded()))
    func axis(_ title: String, _ edges: [(Double, Double)]) -> JSON {
      [
        "type": "quantitative", "title": .string(title),
        "scale": [
          "domain": [.number(edges.first?.0 ?? 0), .number(edges.last?.1 ?? 1)], "nice": false, "zero": false,
        ],
        "axis": ["tickCount": 5, "format": ".3~g", "grid": false],
      ]
    }
    let x = axis(axes.x, xEdges).merging(["field": "x"])
    let y = axis(axes.y, yEdges).merging(["field": "y"])
    let colours = JSON(Palette.sequence(8))
    let ticks = [low] + levels.enumerated().filter { $0.offset % 2 == 1 }.map { plain($0.element) } + [high]
    let title = [Figure.letter(index), panel.title, value.title].filter { !$0.isEmpty }.joined(separator: "  ")
    return [
      "width": .number(width), "height": .number(height), "title": ["text": .string(title)],
      "data": ["values": .array(cells)],
      "layer": [
        [
          "mark": ["type": "rect", "clip": true],
          "encoding": [
            "x": x, "x2": ["field": "x2"], "y": y, "y2": ["field": "y2"],
            "color": [
              "field": "value", "type": "quantitative", "title": .string(value.title),
              "scale": [
                "type": isLogarithmic ? "log" : "linear", "range": colours, "nice": false, "zero": false,
                "interpolate": "rgb",
              ],
              "legend": ["format": ".3~g", "values": JSON(ticks)],
            ],
            "tooltip": [
              ["field": "alpha", "type": "quantitative", "format": ".3~f", "title": "α"],
              ["field": "beta", "type": "quantitative", "format": ".3~f", "title": "β"],
              ["field": "value", "type": "quantitative", "format": ".5~g", "title": .string(value.title)],
            ],
          ],
        ],
        [
          "data": ["values": .array(segments)],
          "mark": ["type": "rule", "color": "white", "strokeWidth": 1.1, "strokeOpacity": 0.85, "clip": true],
          "encoding": ["x": x, "y": y, "x2": ["field": "x2"], "y2": ["field": "y2"]],
        ],
        Self.text(labels, x, y, field: "text", size: 10, dy: 0, weight: "normal"),
        [
          "data": ["values": .array(marks)],
          "mark": [
            "type": "point", "filled": true, "fill": "white", "stroke": "#222222", "strokeWidth": 1.5, "size": 75,
            "opacity": 1,
          ],
          "encoding": ["x": x, "y": y],
        ],
        Self.text(marks, x, y, field: "name", size: 12, dy: -12, weight: "bold"),
      ],
    ]
  }

  /// Dark letters with a light halo, legible on every colour.
  private static func text(
    _ rows: [JSON], _ x: JSON, _ y: JSON, field: String, size: Int, dy: Int, weight: JSON
  ) -> JSON {
    func layer(_ mark: [String: JSON]) -> JSON {
      [
        "mark": JSON.object(mark).merging([
          "type": "text", "fontSize": .int(size), "dy": .int(dy), "fontWeight": weight, "clip": true,
        ]),
        "encoding": ["x": x, "y": y, "text": ["field": .string(field), "type": "nominal"]],
      ]
    }
    return [
      "data": ["values": .array(rows)],
      "layer": [
        layer(["color": "white", "stroke": "white", "strokeWidth": 3, "opacity": 0.75]), layer(["color": "#222222"]),
      ],
    ]
  }
}
