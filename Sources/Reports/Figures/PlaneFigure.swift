import Foundation
import Landscape
import Support

/// Loss and error on planes of weight space, with contours and the points that span them (the paper's Figure 27).
public struct PlaneFigure: Figure {
  /// A plane, of which every value is drawn.
  public struct Panel: Sendable {
    /// Nothing for a figure of one plane.
    public var title: String
    /// What was measured.
    public var plane: PlaneMeasure

    /// A plane with its title.
    public init(title: String = "", plane: PlaneMeasure) { (self.title, self.plane) = (title, plane) }
  }

  public let name, title: String
  private let panels: [Panel]
  private let values: [PointValue]
  private let setting: String
  private let axes: (x: String, y: String)

  /// A panel for each plane and what was measured of training loss, test loss and test error.
  ///
  /// - Parameters:
  ///   - setting: network, data and what was done about BatchNorm
  ///   - axes: what the axes are in
  public init(
    panels: [Panel], setting: String, axes: (x: String, y: String) = ("distance along B − A", Self.orthogonal)
  ) {
    self.init(
      name: "plane", title: "The loss on a plane of weight space", panels: panels,
      values: [.trainLoss, .testLoss, .testError], setting: setting, axes: axes)
  }

  private init(
    name: String, title: String, panels: [Panel], values: [PointValue], setting: String, axes: (x: String, y: String)
  ) {
    (self.name, self.title, self.panels, self.values) = (name, title, panels, values)
    (self.setting, self.axes) = (setting, axes)
  }

  /// What the vertical axis of a plane through three points is in.
  public static let orthogonal = "distance orthogonal to it"

  /// The test loss on the planes of the first six settings where it was measured.
  public static func figures(of analysis: Analysis) -> [PlaneFigure] {
    guard let landscapes = analysis.landscapes else { return [] }
    let panels = landscapes.settings.compactMap { setting in
      setting.rows.first?.plane.map { plane in
        Panel(title: landscapes.quantity.isEmpty ? "" : "\(landscapes.quantity) \(setting.series)", plane: plane)
      }
    }
    guard !panels.isEmpty else { return [] }
    return [
      PlaneFigure(
        name: "planes", title: "Test loss on the plane through the trunk and two endpoints",
        panels: Array(panels.prefix(6)), values: [.testLoss],
        setting:
          "The trunk at the last branch point (base) and two endpoints (A, B), for the first seed of each setting. "
          + "\(analysis.batchNormText)\(analysis.subjectText)",
        axes: ("distance along A − base", orthogonal))
    ]
  }

  private var drawn: [(panel: Panel, value: PointValue)] {
    panels.flatMap { panel in
      values.filter { value in panel.plane.points.contains { value.value($0) != nil } }.map { (panel, $0) }
    }
  }

  /// What is drawn, and under which setting.
  public var caption: String {
    "One cell per measured point; white lines join equal values and are labelled with them; circles are the networks. "
      + panels.map(\.plane).map(Self.outside).joined()
      + "The colour scale is logarithmic where values span more than a factor of eight. \(setting)."
  }

  /// How Vega-Lite draws it.
  public var spec: Spec {
    let drawn = drawn
    return Spec(panels: drawn.map { view($0.panel, $0.value) }, columns: min(3, max(1, drawn.count)))
  }

  private static func outside(_ plane: PlaneMeasure) -> String {
    plane.marks.filter(plane.isOutside).map { mark in
      "\(mark.name) lies beyond the grid, at α = \(short(mark.alpha, digits: 3)), β = \(short(mark.beta, digits: 3)). "
    }.joined()
  }

  /// A row for each point of each plane: losses in nats, accuracies as fractions.
  public var table: Table {
    Table(
      columns: [
        "plane", "alpha", "beta", "x_distance", "y_distance", "train_loss_nats", "train_accuracy", "test_loss_nats",
        "test_accuracy",
      ],
      rows: panels.flatMap { panel in
        let plane = panel.plane
        return plane.points.enumerated().map { index, point -> [Table.Cell] in
          let alpha = plane.alphas[index % plane.alphas.count]
          let beta = plane.betas[index / plane.alphas.count]
          return [
            .text(panel.title), .number(alpha), .number(beta), .number(alpha * plane.alphaLength),
            .number(beta * plane.betaLength), .number(point.train?.loss), .number(point.train?.accuracy),
            .number(point.test?.loss), .number(point.test?.accuracy),
          ]
        }
      })
  }

  /// Half way to the neighbours on both sides of each coordinate.
  private func edges(_ centres: [Double]) -> [(Double, Double)] {
    let step = centres.count > 1 ? centres[1] - centres[0] : 1
    return centres.map { ($0 - step / 2, $0 + step / 2) }
  }

  private func view(_ panel: Panel, _ value: PointValue) -> Reports.Panel {
    let plane = panel.plane
    let xs = plane.alphas.map { $0 * plane.alphaLength }
    let ys = plane.betas.map { $0 * plane.betaLength }
    let values = plane.points.map { value.value($0) ?? .nan }
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
      place.map { ["x": .number($0.x), "y": .number($0.y), "text": .text(short(plain(level), digits: 3))] }
    }
    // A mark beyond the frame would stretch the picture to where it is.
    let networks = plane.marks.filter { !plane.isOutside($0) }.map { mark -> JSON in
      [
        "x": .number(mark.alpha * plane.alphaLength), "y": .number(mark.beta * plane.betaLength),
        "name": .text(mark.name),
      ]
    }
    let spans = (xEdges.last.map { $0.1 - xEdges[0].0 } ?? 1, yEdges.last.map { $0.1 - yEdges[0].0 } ?? 1)
    let width = 250.0
    func axis(_ field: String, _ title: String, _ edges: [(Double, Double)]) -> JSON {
      [
        "field": .text(field), "type": "quantitative", "title": .text(title),
        "scale": Channel.range([edges.first?.0 ?? 0, edges.last?.1 ?? 1]),
        "axis": ["tickCount": 5, "format": ".3~g", "grid": false],
      ]
    }
    let marks = Marks(x: axis("x", axes.x, xEdges), y: axis("y", axes.y, yEdges))
    let ends: [String: JSON] = ["x2": ["field": "x2"], "y2": ["field": "y2"]]
    let ticks = [low] + levels.enumerated().filter { $0.offset % 2 == 1 }.map { plain($0.element) } + [high]
    let colours: [String: JSON] = [
      "color": [
        "field": "value", "type": "quantitative", "title": .text(value.title),
        "scale": [
          "type": isLogarithmic ? "log" : "linear", "range": JSON(Palette.sequence(8)), "nice": false, "zero": false,
          "interpolate": "rgb",
        ],
        "legend": ["format": ".3~g", "values": JSON(ticks)],
      ],
      "tooltip": [
        Channel.told("alpha", "α", ".3~f"), Channel.told("beta", "β", ".3~f"),
        Channel.told("value", value.title, ".5~g"),
      ],
    ]
    return Reports.Panel(
      [panel.title, value.title].filter { !$0.isEmpty }.joined(separator: "  "), width: width,
      height: min(420, max(130, (width * spans.1 / spans.0).rounded())), rows: cells,
      layers: [
        marks.mark("rect", ["clip": true], ends.merging(colours) { $1 }),
        marks.mark(
          "rule", ["color": "white", "strokeWidth": 1.1, "strokeOpacity": 0.85, "clip": true], ends, rows: segments),
        Self.text(labels, marks, field: "text", size: 10, dy: 0, weight: "normal"),
        marks.points(
          75, ["fill": "white", "stroke": "#222222", "strokeWidth": 1.5, "opacity": 1], rows: networks),
        Self.text(networks, marks, field: "name", size: 12, dy: -12, weight: "bold"),
      ])
  }

  /// Dark letters with a light halo, legible on every colour.
  private static func text(
    _ rows: [JSON], _ marks: Marks, field: String, size: Int, dy: Int, weight: JSON
  ) -> JSON {
    func layer(_ ink: [String: JSON]) -> JSON {
      let style: [String: JSON] = ["fontSize": .number(size), "dy": .number(dy), "fontWeight": weight, "clip": true]
      return marks.mark("text", style.merging(ink) { $1 }, ["text": ["field": .text(field), "type": "nominal"]])
    }
    return [
      "data": ["values": JSON(rows)],
      "layer": [
        layer(["color": "white", "stroke": "white", "strokeWidth": 3, "opacity": 0.75]), layer(["color": "#222222"]),
      ],
    ]
  }
}
