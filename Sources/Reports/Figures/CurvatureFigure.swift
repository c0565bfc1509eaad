import Foundation
import Landscape

/// The largest eigenvalues of the loss's Hessian at several points, and where asked for how all of them are distributed.
public struct CurvatureFigure: Sendable {
  public struct Series: Sendable {
    public var name: String
    public var eigenvalues: Eigenvalues
    public var density: SpectralDensity?

    public init(name: String, eigenvalues: Eigenvalues, density: SpectralDensity? = nil) {
      (self.name, self.eigenvalues, self.density) = (name, eigenvalues, density)
    }
  }

  public var series: [Series]
  /// Network, data and what was done about BatchNorm.
  public var setting: String

  public init(series: [Series], setting: String) { (self.series, self.setting) = (series, setting) }

  public func figure() -> Figure {
    let hasDensity = series.contains { $0.density != nil }
    let colors = Palette.encoding(series.map(\.name), title: "")
    let loose = series.contains { !$0.eigenvalues.converged }
    return Figure(
      name: "curvature", title: "Eigenvalues of the Hessian of the loss",
      caption: "The eigenvalues at the ends of the spectrum, by Lanczos"
        + (loose ? "; bars are residuals ‖Hv − λv‖, where the products allowed were too few" : "")
        + (hasDensity
          ? ". b: density of all eigenvalues by stochastic Lanczos quadrature, smoothed by a hundredth of its range; logarithmic above a millionth"
          : "")
        + ". \(setting).",
      table: table,
      panels: .array([eigenvaluePanel(colors, legend: !hasDensity)] + (hasDensity ? [densityPanel(colors)] : [])),
      columns: 2)
  }

  private var rows: [(series: String, end: String, rank: Int, pair: Eigenvalues.Pair)] {
    series.flatMap { entry in
      entry.eigenvalues.largest.enumerated().map { (entry.name, "largest", $0.offset + 1, $0.element) }
        + entry.eigenvalues.smallest.enumerated().map { (entry.name, "smallest", $0.offset + 1, $0.element) }
    }
  }

  private var table: Table {
    Table(
      columns: ["network", "end", "rank", "eigenvalue", "residual"],
      rows: rows.map {
        [.string($0.series), .string($0.end), .int($0.rank), .number($0.pair.value), .number($0.pair.residual)]
      })
  }

  private func eigenvaluePanel(_ colors: [String: JSON], legend: Bool) -> JSON {
    let values = rows.map { row -> JSON in
      [
        "series": .string(row.series), "rank": .int(row.rank), "value": .number(row.pair.value),
        "end": .string(row.end), "lower": .number(row.pair.value - row.pair.residual),
        "upper": .number(row.pair.value + row.pair.residual), "residual": .number(row.pair.residual),
      ]
    }
    let domain = paddedDomain(rows.map(\.pair.value), including: [0])
    let ranks = rows.map(\.rank).max() ?? 1
    let x: JSON = [
      "field": "rank", "type": "quantitative", "title": "rank",
      "scale": ["domain": [0.5, .number(Double(ranks) + 0.5)], "nice": false],
      "axis": ["values": .array((1...ranks).map { .int($0) }), "format": "d"],
    ]
    let y: JSON = [
      "field": "value", "type": "quantitative", "title": "eigenvalue",
      "scale": ["domain": JSON(domain), "nice": false], "axis": ["tickCount": 6, "format": ".4~g"],
    ]
    var color = colors
    if series.count > 1, !legend { color["color"] = color["color"]?.merging(["legend": nil]) }
    func encoding(_ more: [String: JSON]) -> JSON { .object(color.merging(more) { $1 }) }
    return [
      "width": 300, "height": 240, "title": ["text": "a  ends of the spectrum"], "data": ["values": .array(values)],
      "layer": [
        Figure.zeroLine("y"),
        [
          "mark": ["type": "rule", "opacity": 0.6],
          "encoding": encoding(["x": x, "y": y.merging(["field": "lower"]), "y2": ["field": "upper"]]),
        ],
        [
          "mark": ["type": "line", "strokeWidth": 1.5, "opacity": 0.6],
          "encoding": encoding(["x": x, "y": y, "strokeDash": ["field": "end", "type": "nominal", "legend": nil]]),
        ],
        [
          "mark": ["type": "point", "filled": true, "size": 48, "opacity": 1],
          "encoding": encoding([
            "x": x, "y": y,
            "tooltip": [
              ["field": "series", "title": "network"], ["field": "rank", "type": "quantitative"],
              ["field": "value", "type": "quantitative", "format": ".5~g", "title": "eigenvalue"],
              ["field": "residual", "type": "quantitative", "format": ".2~e"],
            ],
          ]),
        ],
      ],
    ]
  }

  private func densityPanel(_ colors: [String: JSON]) -> JSON {
    let nodes = series.compactMap(\.density).flatMap(\.nodes).map(\.value)
    let (low, high) = (nodes.min() ?? 0, nodes.max() ?? 1)
    let range = max(high - low, 1e-12)
    let width = range / 100
    let grid = (0...400).map { low - range * 0.03 + range * 1.06 * Double($0) / 400 }
    let rows = series.flatMap { entry -> [JSON] in
      guard let density = entry.density else { return [] }
      let heights = density.density(at: grid, width: width)
      let floor = (heights.max() ?? 1) * 1e-6
      return zip(grid, heights).map {
        ["series": .string(entry.name), "x": .number($0), "density": .number(max($1, floor))]
      }
    }
    return [
      "width": 300, "height": 240, "title": ["text": "b  density"], "data": ["values": .array(rows)],
      "mark": ["type": "line", "strokeWidth": 1.8, "clip": true],
      "encoding": .object(
        colors.merging([
          "x": [
            "field": "x", "type": "quantitative", "title": "eigenvalue", "scale": ["nice": false, "zero": false],
            "axis": ["tickCount": 6, "format": ".4~g"],
          ],
          "y": [
            "field": "density", "type": "quantitative", "title": "density", "scale": ["type": "log"],
            "axis": ["tickCount": 6, "format": "~e"],
          ],
        ]) { $1 }),
    ]
  }
}
