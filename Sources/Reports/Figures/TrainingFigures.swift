import Foundation
import Studies

/// Figures whose points are single measurements, each configuration a row or a cloud.
struct TrainingFigures {
  let analysis: Analysis

  /// Configurations with at least one finished run, from the lowest S̃ to the highest.
  var configurations: [Configuration] {
    analysis.configurations.filter { $0.runs.contains { $0.status == .done } }
  }

  /// A row per configuration needs its labels in that order, highest S̃ on top.
  func rowAxis(_ labels: [String]) -> JSON {
    [
      "field": "configuration", "type": "nominal", "title": nil, "sort": JSON(Array(labels.reversed())),
      "axis": ["grid": true],
    ]
  }

  /// Points of one row are moved apart by a fixed pattern: the same report twice is the same picture.
  func jitter(_ index: Int) -> JSON {
    .number((Double(index) * 0.618_033_988_75).truncatingRemainder(dividingBy: 1))
  }

  var offset: JSON {
    ["field": "_jitter", "type": "quantitative", "scale": ["domain": [-0.35, 1.35]], "axis": nil]
  }

  func epochColor(_ rows: [[JSON]]) -> JSON {
    let epochs = Set(rows.compactMap { row in if case .number(let epoch) = row[1] { epoch } else { nil } }).sorted()
    guard epochs.count > 1 else { return ["value": .string(Palette.okabeIto[0])] }
    let length: JSON = .int(min(130, max(40, 30 * configurations.count)))
    let ticks: JSON = epochs.count <= 6 ? ["values": JSON(epochs)] : ["tickCount": 5]
    return [
      "field": "epoch", "type": "quantitative", "title": "trunk epoch", "scale": ["scheme": "viridis"],
      "legend": ticks.merging(["gradientLength": length]),
    ]
  }

  /// The training loss of every decayed single, by configuration. Nil where it was not measured.
  func trainLoss() -> Figure? {
    // Losses down to 0 go on a logarithmic axis; nobody cares by how much one is below this.
    let floor = 1e-6
    var rows: [[JSON]] = []
    for configuration in configurations {
      for run in configuration.runs where run.status == .done {
        // The same network may have been tested on several sets.
        var seen: Set<[Int]> = []
        for row in run.rows where row.kind == .single {
          guard let loss = row.trainLoss, loss.isFinite, seen.insert([row.step] + row.endpoints).inserted else {
            continue
          }
          rows.append([
            .string(configuration.label), .number(row.epoch), .int(run.seed),
            .string(row.endpoints.map(String.init).joined(separator: "+")), .number(loss), .number(max(loss, floor)),
            jitter(rows.count),
          ])
        }
      }
    }
    guard !rows.isEmpty else { return nil }
    let table = Table(
      columns: ["configuration", "epoch", "seed", "endpoint", "train_loss", "_train_loss", "_jitter"], rows: rows)
    let domain = paddedLogDomain(
      rows.compactMap { row in if case .number(let value) = row[5] { value } else { nil } } + [Analysis.fittedTrainLoss]
    )
    let y = rowAxis(configurations.map(\.label))
    let x: JSON = [
      "field": "_train_loss", "type": "quantitative", "title": "training loss of the decayed singles (nats)",
      "scale": ["type": "log", "domain": JSON(domain), "nice": false],
      "axis": ["values": JSON(logTicks(domain)), "format": ".1~g", "labelOverlap": true],
    ]
    return Figure(
      name: "training-loss", title: "Training loss of the singles",
      caption:
        "Cross-entropy of every decayed single on its training set without augmentation, by configuration in the "
        + "order of S̃, highest on top. "
        + "Red ticks: medians. Left of the dashed line (\(short(Analysis.fittedTrainLoss)) nats) the training set "
        + "counts as fitted, "
        + "as the paper requires of deep networks.",
      table: table,
      view: [
        "data": ["values": table.values()],
        "layer": [
          Figure.line("x", at: Analysis.fittedTrainLoss),
          [
            "mark": ["type": "point", "filled": true, "size": 16, "opacity": 0.8],
            "encoding": [
              "x": x, "y": y, "yOffset": offset, "color": epochColor(rows),
              "tooltip": [
                ["field": "configuration"], ["field": "epoch", "type": "quantitative", "format": ".4~g"],
                ["field": "seed", "type": "quantitative"], ["field": "endpoint"],
                ["field": "train_loss", "type": "quantitative", "format": ".3~g", "title": "training loss (nats)"],
              ],
            ],
          ],
          [
            "mark": ["type": "tick", "color": "#D00000", "thickness": 2, "size": 18],
            "encoding": ["x": x.merging(["aggregate": "median"]), "y": y],
          ],
        ],
      ], height: 30 * configurations.count)
  }

  /// The noise scale measured on the trunk against its proxy, a point per run. Nil where noise was not measured.
  func measuredNoise() -> Figure? {
    let axes = analysis.lines.axes(over: .noise)
    var rows: [[JSON]] = []
    var logs: [(proxy: Double, measured: Double)] = []
    for configuration in configurations {
      for run in configuration.runs where run.status == .done {
        // As for the merges, what counts is the later half: the first steps are warmup and a network that knows
        // nothing.
        let later = run.noise.suffix((run.noise.count + 1) / 2).filter { $0.noiseScale.isFinite && $0.noiseScale > 0 }
        guard !later.isEmpty, run.noiseProxy > 0 else { continue }
        let measured = mean(later.map(\.noiseScale))
        logs.append((log10(run.noiseProxy), log10(measured)))
        rows.append([
          .string(analysis.lines.name(configuration, axes)), .number(run.noiseProxy), .number(measured),
          .number(mean(later.map(\.traceCovariance))), .string(configuration.label), .int(run.seed), .int(later.count),
        ])
      }
    }
    guard !rows.isEmpty else { return nil }
    let table = Table(
      columns: [
        "series", "noise_proxy", "measured_noise", "trace_covariance", "configuration", "seed", "measurements",
      ],
      rows: rows)
    let used = Set(rows.map { $0[0] })
    let names = analysis.lines.names(axes).filter { used.contains(.string($0)) }
    // Proportionality to the proxy, through the geometric mean: where tr Σ is the same for all runs they lie on it.
    let shift = mean(logs.map { $0.measured - $0.proxy })
    let proxies = logs.map { pow(10, $0.proxy) }
    let (xDomain, yDomain) = (paddedLogDomain(proxies), paddedLogDomain(logs.map { pow(10, $0.measured) }))
    func scale(_ field: String, _ title: String, _ domain: [Double]) -> JSON {
      [
        "field": .string(field), "type": "quantitative", "title": .string(title),
        "scale": ["type": "log", "domain": JSON(domain), "nice": false],
        "axis": ["values": JSON(logTicks(domain)), "format": logFormat(domain), "labelOverlap": true],
      ]
    }
    let x = scale("noise_proxy", "noise proxy S̃  (p = \(analysis.results.exponent))", xDomain)
    let y = scale("measured_noise", "measured noise scale S_eff", yDomain)
    let line =
      Set(proxies).count < 2
      ? [] : xDomain.map { ["noise_proxy": .number($0), "measured_noise": .number($0 * pow(10, shift))] as JSON }
    var encoding = Palette.encoding(names, title: axes.map(\.title).joined(separator: ", "))
    encoding["x"] = x
    encoding["y"] = y
    encoding["tooltip"] = [
      ["field": "configuration"], ["field": "seed", "type": "quantitative"],
      ["field": "noise_proxy", "type": "quantitative", "format": ".3~g", "title": "S̃"],
      ["field": "measured_noise", "type": "quantitative", "format": ".3~g", "title": "S_eff"],
      ["field": "trace_covariance", "type": "quantitative", "format": ".3~g", "title": "tr Σ"],
    ]
    return Figure(
      name: "measured-noise", title: "Measured noise against its proxy",
      caption:
        "S_eff = η / (B (1−μ)^p) · tr Σ, measured on the trunk (mean over the later half of the measurements), "
        + "against the proxy "
        + "that leaves out tr Σ, with p = \(analysis.results.exponent); a point for each run. Dashed: proportional "
        + "to S̃, as it would be if tr Σ "
        + "did not depend on the configuration.",
      table: table,
      view: [
        "data": ["values": table.values()],
        "layer": [
          [
            "data": ["values": .array(line)],
            "mark": ["type": "line", "strokeDash": [4, 3], "opacity": 0.6, "color": "#666666", "clip": true],
            "encoding": ["x": x, "y": y],
          ],
          ["mark": ["type": "point", "filled": true, "size": 55], "encoding": .object(encoding)],
        ],
      ])
  }
}
