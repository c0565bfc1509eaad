import Landscape
import Support

/// The largest eigenvalues of the loss's Hessian at several points (the paper's Figure 26), and on request the density
/// of all eigenvalues.
public struct CurvatureFigure: Figure {
  /// What was measured at one point.
  public struct Series: Sendable {
    /// The network's name.
    public var name: String
    /// The eigenvalues at the ends of the spectrum.
    public var eigenvalues: Eigenvalues
    /// The density of all eigenvalues; nil where that was not asked for.
    public var density: SpectralDensity?

    /// What was measured at the point called `name`.
    public init(name: String, eigenvalues: Eigenvalues, density: SpectralDensity? = nil) {
      (self.name, self.eigenvalues, self.density) = (name, eigenvalues, density)
    }
  }

  public let name, title, caption: String
  /// A row for each eigenvalue.
  public let table: Table
  private let rows: [Row]
  private let densities: [(series: String, density: SpectralDensity)]
  private let domain: [Double]
  /// The title of the eigenvalues' panel; nil where they are the whole figure.
  private let panel: String?
  private let colors: (series: [String], title: String, isOrdered: Bool)

  private struct Row {
    var series: String
    /// Which end of the spectrum.
    var end = "largest"
    /// Counted from 1 at that end.
    var rank: Int
    var value: Estimate
    var residual: Double
  }

  /// - Parameter setting: network, data and what was done about BatchNorm.
  public init(series: [Series], setting: String) {
    densities = series.compactMap { entry in entry.density.map { (entry.name, $0) } }
    rows = series.flatMap { entry in
      [("largest", entry.eigenvalues.largest), ("smallest", entry.eigenvalues.smallest)].flatMap { end, pairs in
        pairs.enumerated().map { index, pair in
          Row(
            series: entry.name, end: end, rank: index + 1,
            value: Estimate(
              value: pair.value, lower: pair.value - pair.residual, upper: pair.value + pair.residual, interval: .none,
              runs: 1), residual: pair.residual)
        }
      }
    }
    domain = paddedDomain(rows.map(\.value.value), including: [0])
    table = Table(
      columns: ["network", "end", "rank", "eigenvalue", "residual"],
      rows: rows.map {
        [.text($0.series), .text($0.end), .number($0.rank), .number($0.value.value), .number($0.residual)]
      })
    (name, title, panel) = ("curvature", "Eigenvalues of the Hessian of the loss", "ends of the spectrum")
    colors = (series.map(\.name), "", false)
    caption =
      "Eigenvalues at the ends of the spectrum, by the Lanczos method"
      + (series.contains { !$0.eigenvalues.converged }
        ? "; bars are residuals ‖Hv − λv‖ where too few products were allowed" : "")
      + (densities.isEmpty
        ? ""
        : ". b: density of all eigenvalues by stochastic Lanczos quadrature, smoothed over a hundredth of its range; "
          + "logarithmic, down to a millionth of the maximum")
      + ". \(setting)."
  }

  /// One where curvature was measured: the largest eigenvalues at a study's endpoints, over its runs.
  public static func figures(of analysis: Analysis) -> [CurvatureFigure] {
    guard let landscapes = analysis.landscapes else { return [] }
    let spectra = landscapes.settings.flatMap(\.rows).flatMap(\.spectra)
    let count = spectra.map(\.eigenvalues.count).max() ?? 0
    guard count > 0 else { return [] }
    return [
      CurvatureFigure(analysis, landscapes, count: count, examples: spectra.map(\.examples).max() ?? 0)
    ]
  }

  private init(_ analysis: Analysis, _ landscapes: Landscapes, count: Int, examples: Int) {
    rows = landscapes.settings.flatMap { setting in
      (0..<count).compactMap { index -> Row? in
        let spectra = setting.rows.compactMap(\.spectra.first).filter { $0.eigenvalues.count > index }
        let residuals = spectra.map { $0.residuals.indices.contains(index) ? $0.residuals[index] : .nan }
        return Estimate(overSeeds: spectra.map { $0.eigenvalues[index] }).map {
          Row(series: setting.series, rank: index + 1, value: $0, residual: residuals.max() ?? .nan)
        }
      }
    }
    densities = []
    domain = estimatesDomain(rows.map(\.value), including: [0])
    table = Table(
      columns: ["series", "index", "eigenvalue", "lower", "upper", "largest_residual", "runs"],
      rows: rows.map { row in
        let value = row.value
        return [
          .text(row.series), .number(row.rank), .number(value.value), .number(value.lower), .number(value.upper),
          .number(row.residual), .number(value.runs),
        ]
      })
    (name, title, panel) = ("hessian-eigenvalues", "Largest eigenvalues of the Hessian", nil)
    colors = (landscapes.series, landscapes.quantity, true)
    caption =
      "The \(count) largest eigenvalues of the Hessian of the mean training loss (evaluation mode, \(examples) "
      + "training examples, no augmentation) at the first endpoint of the last branch point, by the Lanczos "
      + "method with "
      + "full reorthogonalisation. \(analysis.subjectText)." + intervalWords(rows.map(\.value), cutOff)
  }

  /// How Vega-Lite draws it.
  public var spec: Spec {
    let values = rows.map { row in
      JSON(row.value.fields).merging([
        "series": .text(row.series), "rank": .number(row.rank), "end": .text(row.end),
        "residual": .number(row.residual),
      ])
    }
    guard let panel else { return Spec(["data": ["values": JSON(values)], "layer": JSON(layers)]) }
    let ends = Panel(panel, width: 300, height: 240, rows: values, layers: layers)
    return Spec(panels: [ends] + (densities.isEmpty ? [] : [densityPanel]), columns: 2)
  }

  private func color(hasLegend: Bool) -> [String: JSON] {
    Palette.encoding(
      colors.series, title: colors.title, isOrdered: colors.isOrdered, legend: hasLegend ? .usual : .hidden)
  }

  private var layers: [JSON] {
    let ranks = rows.map(\.rank).max() ?? 1
    let marks = Marks(
      x: [
        "field": "rank", "type": "quantitative", "title": "rank",
        "scale": ["domain": [0.5, .number(Double(ranks) + 0.5)], "nice": false],
        "axis": ["values": JSON((1...ranks).map { .number($0) }), "format": "d"],
      ],
      y: Channel.numbers("value", "eigenvalue", ["domain": JSON(domain), "nice": false]),
      color(hasLegend: densities.isEmpty))
    let tooltip: JSON = [
      ["field": "series", "title": .text(colors.title.isEmpty ? "network" : colors.title)], Channel.told("rank"),
      Channel.told("value", "eigenvalue", ".5~g"), Channel.told("residual", nil, ".2~e"),
    ]
    return [
      Marks.rule("y"), marks.intervals(["opacity": 0.6, "clip": true]),
      marks.line(
        ["strokeWidth": 1.5, "opacity": 0.6],
        ["strokeDash": ["field": "end", "type": "nominal", "legend": nil]]),
      marks.points(48, ["opacity": 1], ["tooltip": tooltip]),
    ]
  }

  private var densityPanel: Panel {
    let nodes = densities.flatMap(\.density.nodes).map(\.value)
    let (low, high) = (nodes.min() ?? 0, nodes.max() ?? 1)
    let range = max(high - low, 1e-12)
    let grid = (0...400).map { low - range * 0.03 + range * 1.06 * Double($0) / 400 }
    let rows = densities.flatMap { name, density -> [JSON] in
      let heights = density.density(at: grid, width: range / 100)
      let floor = (heights.max() ?? 1) * 1e-6
      return zip(grid, heights).map {
        ["series": .text(name), "x": .number($0), "density": .number(max($1, floor))]
      }
    }
    let marks = Marks(
      x: Channel.numbers("x", "eigenvalue", ["nice": false, "zero": false]),
      y: Channel.numbers("density", "density", ["type": "log"], format: "~e"), color(hasLegend: true))
    return Panel(
      "density", width: 300, height: 240, rows: rows,
      view: marks.fields("line", ["strokeWidth": 1.8, "clip": true]))
  }
}
