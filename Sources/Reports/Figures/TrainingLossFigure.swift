import Studies
import Support

/// The training loss of every decayed single, a row for each configuration.
struct TrainingLossFigure: Figure {
  let analysis: Analysis
  private let points: [Point]

  private struct Point {
    var configuration: Configuration
    var seed: Int
    var row: ResultRow
    var loss: Double
  }

  /// One, if training losses were measured.
  static func figures(of analysis: Analysis) -> [TrainingLossFigure] {
    let points = analysis.finished.flatMap { configuration in
      configuration.finished.flatMap { run in
        // The same network may have been tested on several sets.
        var seen: Set<[Int]> = []
        return run.rows.compactMap { row -> Point? in
          guard row.kind == .single, let loss = row.trainLoss, loss.isFinite,
            seen.insert([row.step] + row.endpoints).inserted
          else { return nil }
          return Point(configuration: configuration, seed: run.seed, row: row, loss: loss)
        }
      }
    }
    return points.isEmpty ? [] : [TrainingLossFigure(analysis: analysis, points: points)]
  }

  let name = "training-loss"
  let title = "Training loss of the singles"

  var caption: String {
    "Cross-entropy of every decayed single on its training set without augmentation, by configuration in the order of "
      + "S̃, highest on top. Red ticks: medians. Left of the dashed line (\(short(Analysis.fittedTrainLoss)) nats) the "
      + "training set counts as fitted, as the paper requires of deep networks."
  }

  /// What is drawn on a logarithmic axis, where 0 has no place; how far a loss is below 1e-6 does not matter.
  private var drawn: [Double] { points.map { max($0.loss, 1e-6) } }

  var table: Table {
    Table(
      columns: ["configuration", "epoch", "seed", "endpoint", "train_loss", "_train_loss", "_jitter"],
      rows: zip(points, drawn).enumerated().map { index, pair in
        let (point, drawn) = pair
        return [
          .text(point.configuration.label), .number(point.row.epoch), .number(point.seed),
          .text(point.row.endpoints.map(String.init).joined(separator: "+")), .number(point.loss), .number(drawn),
          ConfigurationRows.jitter(index),
        ]
      })
  }

  var spec: Spec {
    let rows = analysis.finished.count
    let x = Channel.logarithmic(
      "_train_loss", "training loss of the decayed singles (nats)",
      paddedLogDomain(drawn + [Analysis.fittedTrainLoss]), format: ".1~g")
    let marks = Marks(x: x, y: ConfigurationRows.axis(analysis.finished))
    let own: [String: JSON] = [
      "yOffset": ConfigurationRows.offset, "color": ConfigurationRows.color(points.map(\.row.epoch), rows: rows),
      "tooltip": [
        ["field": "configuration"], Channel.told("epoch", nil, ".4~g"), Channel.told("seed"), ["field": "endpoint"],
        Channel.told("train_loss", "training loss (nats)", ".3~g"),
      ],
    ]
    return Spec(
      [
        "data": ["values": table.values()],
        "layer": [
          Marks.rule("x", at: Analysis.fittedTrainLoss), marks.points(16, ["opacity": 0.8], own),
          marks.mark(
            "tick", ["color": Palette.red, "thickness": 2, "size": 18], ["x": x.merging(["aggregate": "median"])]),
        ],
      ], height: ConfigurationRows.height * rows)
  }
}
