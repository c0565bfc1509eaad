import Foundation
import Studies
import Support

/// The noise scale measured on the trunk against its proxy, one point per run.
struct NoiseFigure: Figure {
  let analysis: Analysis
  private let points: [Point]

  private struct Point {
    var configuration: Configuration
    var run: RunResults
    /// The measurements that count.
    var rows: [NoiseRow]
    /// Their mean noise scale.
    var scale: Double { mean(rows.map(\.noiseScale)) }
  }

  /// One, if noise was measured.
  static func figures(of analysis: Analysis) -> [NoiseFigure] {
    let points = analysis.finished.flatMap { configuration in
      configuration.finished.compactMap { run -> Point? in
        // As for merges, the later half counts: the first steps are warmup of a network that knows nothing.
        let later = run.noise.suffix((run.noise.count + 1) / 2).filter { $0.noiseScale.isFinite && $0.noiseScale > 0 }
        return later.isEmpty || run.noiseProxy <= 0
          ? nil : Point(configuration: configuration, run: run, rows: later)
      }
    }
    return points.isEmpty ? [] : [NoiseFigure(analysis: analysis, points: points)]
  }

  private var axes: [Axis] { analysis.lines.axes(over: .noise) }

  let name = "measured-noise"
  let title = "Measured noise against its proxy"

  var caption: String {
    "S_eff = η / (B (1−μ)^p) · tr Σ, measured on the trunk (mean over the later half of the measurements), against the "
      + "proxy that leaves out tr Σ, with p = \(analysis.results.exponent); one point per run. Dashed: proportional "
      + "to S̃, as it would be if tr Σ did not depend on the configuration."
  }

  var table: Table {
    Table(
      columns: [
        "series", "noise_proxy", "measured_noise", "trace_covariance", "configuration", "seed", "measurements",
      ],
      rows: points.map { point in
        [
          .text(analysis.lines.name(point.configuration, axes)), .number(point.run.noiseProxy), .number(point.scale),
          .number(mean(point.rows.map(\.traceCovariance))), .text(point.configuration.label), .number(point.run.seed),
          .number(point.rows.count),
        ]
      })
  }

  var spec: Spec {
    let used = Set(points.map { analysis.lines.name($0.configuration, axes) })
    let names = analysis.lines.names(axes).filter(used.contains)
    let logs = points.map { (proxy: log10($0.run.noiseProxy), measured: log10($0.scale)) }
    // Proportional to the proxy, through the geometric mean: if tr Σ is the same for all runs, they lie on this line.
    let shift = mean(logs.map { $0.measured - $0.proxy })
    let proxies = logs.map { pow(10, $0.proxy) }
    let domain = paddedLogDomain(proxies)
    let measured = paddedLogDomain(logs.map { pow(10, $0.measured) })
    let x = Channel.logarithmic(
      "noise_proxy", "noise proxy S̃  (p = \(analysis.results.exponent))", domain, format: logFormat(domain))
    let y = Channel.logarithmic(
      "measured_noise", "measured noise scale S_eff", measured, format: logFormat(measured))
    let line: [JSON] =
      Set(proxies).count < 2
      ? [] : domain.map { ["noise_proxy": .number($0), "measured_noise": .number($0 * pow(10, shift))] }
    let tooltip: JSON = [
      ["field": "configuration"], Channel.told("seed"), Channel.told("noise_proxy", "S̃", ".3~g"),
      Channel.told("measured_noise", "S_eff", ".3~g"), Channel.told("trace_covariance", "tr Σ", ".3~g"),
    ]
    var color = Palette.encoding(names, title: axes.title)
    color["tooltip"] = tooltip
    let style: [String: JSON] = ["strokeDash": [4, 3], "opacity": 0.6, "color": "#666666", "clip": true]
    return Spec([
      "data": ["values": table.values()],
      "layer": [Marks(x: x, y: y).line(style, rows: line), Marks(x: x, y: y, color).points(55)],
    ])
  }
}
