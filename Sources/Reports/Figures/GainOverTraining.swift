import Foundation
import Studies

extension TrainingFigures {
  /// The gain of every merge over all trunk checkpoints: a box for each configuration, and for few of them beside it
  /// the level of the singles against the gain (the paper's Figures 2, 3, 5 and 9).
  func gainOverTraining(_ measure: Measure) -> Figure? {
    configurations.count <= Self.mostBoxes ? boxesAndScatter(measure) : boxesInRows(measure)
  }

  /// More configurations than this do not fit side by side with their names.
  static let mostBoxes = 8

  private func boxesInRows(_ measure: Measure) -> Figure? {
    var rows: [[JSON]] = []
    for configuration in configurations {
      for run in configuration.runs where run.status == .done {
        for row in analysis.selection.merges(run) {
          guard let gain = measure.gain(row) else { continue }
          rows.append([
            .string(configuration.label), .number(row.epoch), .int(run.seed),
            .string(row.endpoints.map(String.init).joined(separator: "+")), .number(gain),
            .number(configuration.noiseProxy),
            jitter(rows.count),
          ])
        }
      }
    }
    guard !rows.isEmpty else { return nil }
    let table = Table(
      columns: ["configuration", "epoch", "seed", "endpoints", "gain", "noise_proxy", "_jitter"], rows: rows)
    let y = rowAxis(configurations.map(\.label))
    let x: JSON = [
      "field": "gain", "type": "quantitative",
      "title": .string(measure == .loss ? "loss gain of the merge (nats, lower is better)" : measure.axisTitle),
      "scale": ["zero": false, "nice": true], "axis": ["tickCount": 6, "format": ".4~g"],
    ]
    return Figure(
      name: "\(measure == .accuracy ? "accuracy" : "loss")-gain-over-training",
      title: "\(measure == .accuracy ? "Accuracy" : "Loss") gain over training",
      caption:
        "The gain of every merge (\(analysis.selection.words)) at every trunk checkpoint and for every "
        + "seed, by configuration, "
        + "in the order of S̃, highest on top. Box: quartiles and median; whiskers: all points. \(analysis.proxyText).",
      table: table,
      view: [
        "data": ["values": table.values()],
        "layer": [
          Figure.zeroLine("x"),
          [
            "mark": [
              "type": "boxplot", "extent": "min-max", "size": 20, "color": "#8C8C8C", "opacity": 0.4,
              "median": ["color": "#D00000", "opacity": 1, "strokeWidth": 2],
            ],
            "encoding": ["x": x, "y": y],
          ],
          [
            "mark": ["type": "point", "filled": true, "size": 16, "opacity": 0.8],
            "encoding": [
              "x": x, "y": y, "yOffset": offset, "color": epochColor(rows),
              "tooltip": [
                ["field": "configuration"], ["field": "epoch", "type": "quantitative", "format": ".4~g"],
                ["field": "seed", "type": "quantitative"], ["field": "endpoints", "title": "endpoints"],
                ["field": "gain", "type": "quantitative", "format": ".3~g", "title": "gain (\(measure.unit))"],
              ],
            ],
          ],
        ],
      ], height: 30 * configurations.count)
  }

  /// The merges of all configurations with the level of their singles.
  private func merges(_ measure: Measure) -> [(configuration: Configuration, seed: Int, row: ResultRow, gain: Double)] {
    configurations.flatMap { configuration in
      configuration.runs.filter { $0.status == .done }.flatMap { run in
        analysis.selection.merges(run).compactMap { row in
          measure.gain(row).map { (configuration, run.seed, row, $0) }
        }
      }
    }
  }

  private func boxesAndScatter(_ measure: Measure) -> Figure? {
    let axes = analysis.axes
    func name(_ configuration: Configuration) -> String {
      axes.isEmpty ? "all runs" : analysis.lines.name(configuration, axes)
    }
    let merges = merges(measure)
    guard !merges.isEmpty else { return nil }
    let present = Set(merges.map { name($0.configuration) })
    let names = axes.isEmpty ? ["all runs"] : analysis.lines.names(axes).filter(present.contains)
    let rows = merges.enumerated().map { index, merge -> [JSON] in
      [
        .string(name(merge.configuration)), .number(merge.row.epoch), .int(merge.seed),
        .string(merge.row.endpoints.map(String.init).joined(separator: "+")), JSON(measure.singleLevel(merge.row)),
        .number(merge.gain), .number(merge.configuration.noiseProxy), jitter(index),
      ]
    }
    let single = measure == .accuracy ? "single_accuracy" : "single_loss"
    let table = Table(
      columns: ["series", "epoch", "seed", "endpoints", single, "gain", "noise_proxy", "_jitter"], rows: rows)
    let domain = paddedDomain(merges.map(\.gain), including: [0])
    let quantity = axes.map(\.title).joined(separator: ", ")
    var color = Palette.encoding(names, title: quantity, isOrdered: axes.allSatisfy { $0.quantity != .augmentation })
    let epochs = Set(merges.map(\.row.epoch)).sorted()
    func gain(isFirst: Bool) -> JSON {
      [
        "field": "gain", "type": "quantitative", "title": isFirst ? .string(measure.axisTitle) : nil,
        "scale": ["domain": JSON(domain), "reverse": .bool(measure.sign < 0), "nice": false, "zero": false],
        "axis": ["tickCount": 6, "format": ".4~g", "labels": .bool(isFirst), "ticks": .bool(isFirst)],
      ]
    }
    let tooltip: JSON = [
      ["field": "series", "title": .string(quantity)],
      ["field": "epoch", "type": "quantitative", "format": ".4~g"], ["field": "seed", "type": "quantitative"],
      ["field": "endpoints"],
      [
        "field": .string(single), "type": "quantitative", "format": ".4~g",
        "title": .string("single \(measure.rawValue)"),
      ],
      ["field": "gain", "type": "quantitative", "format": ".3~g", "title": .string("gain (\(measure.unit))")],
    ]
    let isLong = names.map(\.count).reduce(0, +) > 40
    let x: JSON = [
      "field": "series", "type": "ordinal", "sort": JSON(names), "title": quantity.isEmpty ? nil : .string(quantity),
      "axis": ["labelAngle": isLong ? -40 : 0, "labelLimit": 120, "labelOverlap": false],
    ]
    let epochScale: JSON = [
      "field": "epoch", "type": "quantitative", "title": "trunk epoch", "scale": ["range": [0.15, 0.95]],
      "legend": epochs.count > 1 ? ["tickCount": 4, "symbolFillColor": "#8C8C8C", "symbolStrokeWidth": 0] : nil,
    ]
    var plain = color
    if names.count > 1 { plain["color"] = color["color"]?.merging(["legend": nil]) }
    if epochs.count > 1 { color["opacity"] = epochScale }
    let boxes: JSON = [
      "width": .int(max(160, min(420, 62 * names.count))), "height": 270, "title": ["text": "a  over training"],
      "layer": [
        Figure.zeroLine("y"),
        [
          "mark": [
            "type": "boxplot", "extent": "min-max", "size": 26, "color": "#8C8C8C", "opacity": 0.35,
            "median": ["color": "#D00000", "opacity": 1, "strokeWidth": 2.5],
          ],
          "encoding": ["x": x, "y": gain(isFirst: true)],
        ],
        [
          "mark": ["type": "point", "filled": true, "size": 16, "opacity": 0.6],
          "encoding": .object(
            plain.merging(["x": x, "xOffset": offset, "y": gain(isFirst: true), "tooltip": tooltip]) { $1 }),
        ],
      ],
    ]
    let scatter: JSON = [
      "width": 330, "height": 270, "title": ["text": .string("b  against the singles")],
      "layer": [
        Figure.zeroLine("y"),
        [
          "mark": ["type": "point", "filled": true, "size": 42, "opacity": 0.75],
          "encoding": .object(
            color.merging([
              "x": [
                "field": .string(single), "type": "quantitative",
                "title": .string(measure == .accuracy ? "single accuracy (%)" : "single loss (nats)"),
                "scale": ["zero": false, "padding": 10], "axis": ["tickCount": 6, "format": ".4~g"],
              ], "y": gain(isFirst: false), "tooltip": tooltip,
            ]) { $1 }),
        ],
      ],
    ]
    return Figure(
      name: "\(measure.rawValue)-gain-over-training",
      title: "\(measure == .accuracy ? "Accuracy" : "Loss") gain over training, and against the singles",
      caption:
        "The gain of every merge (\(analysis.selection.words)) at every trunk checkpoint and for every seed. a: by "
        + "\(quantity.isEmpty ? "study" : quantity); box: quartiles and median (red); whiskers: all points. b: against "
        + "the mean \(measure == .accuracy ? "test accuracy" : "test loss") of the two singles"
        + (epochs.count > 1 ? "; later checkpoints are more opaque" : "") + ". \(analysis.subjectText).",
      table: table, panels: [boxes, scatter], data: table)
  }

  /// Single level against gain, a point per merge, more opaque later in training; for many configurations, where it
  /// does not stand beside the boxes. Nil where it does.
  func singleAgainstGain(_ measure: Measure) -> Figure? {
    guard configurations.count > Self.mostBoxes else { return nil }
    let rows = merges(measure).compactMap { merge -> [JSON]? in
      measure.singleLevel(merge.row).map { single in
        [
          .string(merge.configuration.label), .number(merge.row.epoch), .int(merge.seed), .number(single),
          .number(merge.gain), .number(merge.configuration.noiseProxy),
        ]
      }
    }
    guard !rows.isEmpty else { return nil }
    let table = Table(
      columns: ["configuration", "epoch", "seed", "single_\(measure.rawValue)", "gain", "noise_proxy"], rows: rows)
    let proxies = Set(configurations.map(\.noiseProxy))
    let color: JSON =
      proxies.count > 1
      ? [
        "field": "noise_proxy", "type": "quantitative", "title": "S̃ (p = \(analysis.results.exponent))",
        "scale": ["type": "log", "scheme": "viridis"],
        "legend": [
          "format": logFormat(Array(proxies)), "values": JSON(logTicks(paddedLogDomain(Array(proxies), margin: 0))),
        ],
      ]
      : [
        "field": "configuration", "type": "nominal", "title": "configuration",
        "scale": ["range": JSON(Palette.okabeIto)],
      ]
    return Figure(
      name: "single-\(measure.rawValue)-against-gain",
      title: "Single \(measure.rawValue) against gain",
      caption:
        "Mean test \(measure.rawValue) of the singles of a merge against the gain of the merge, a point for each merge "
        + "(\(analysis.selection.words)) at every trunk checkpoint and for every seed; later checkpoints "
        + "are more opaque. "
        + "\(analysis.proxyText).",
      table: table,
      view: [
        "data": ["values": table.values()],
        "layer": [
          Figure.zeroLine("y"),
          [
            "mark": ["type": "point", "filled": true, "size": 45],
            "encoding": [
              "x": [
                "field": .string("single_\(measure.rawValue)"), "type": "quantitative",
                "title": .string(measure == .accuracy ? "single accuracy (%)" : "single loss (nats)"),
                "scale": ["zero": false, "padding": 10],
              ],
              "y": [
                "field": "gain", "type": "quantitative", "title": .string(measure.axisTitle),
                "scale": ["zero": false, "padding": 10, "reverse": .bool(measure.sign < 0)],
              ],
              "color": color,
              "opacity": [
                "field": "epoch", "type": "quantitative", "title": "trunk epoch", "scale": ["range": [0.2, 0.95]],
                "legend": ["tickCount": 4],
              ],
              "tooltip": [
                ["field": "configuration"], ["field": "epoch", "type": "quantitative", "format": ".4~g"],
                ["field": "seed", "type": "quantitative"],
                [
                  "field": .string("single_\(measure.rawValue)"), "type": "quantitative", "format": ".4~g",
                  "title": .string("single \(measure.rawValue)"),
                ],
                [
                  "field": "gain", "type": "quantitative", "format": ".3~g", "title": .string("gain (\(measure.unit))"),
                ],
              ],
            ],
          ],
        ],
      ])
  }
}
