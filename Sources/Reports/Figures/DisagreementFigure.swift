import Landscape
import Support

/// The accuracy and loss of networks, their ensemble and their merge, as differences from the networks' mean.
public struct DisagreementFigure: Figure {
  private let disagreement: Disagreement
  private let setting: String

  /// - Parameter setting: network, data and what was done about BatchNorm.
  public init(_ disagreement: Disagreement, setting: String) {
    (self.disagreement, self.setting) = (disagreement, setting)
  }

  /// The name of its files, without extension.
  public var name: String { "disagreement" }
  /// What it shows, in a line.
  public var title: String { "Ensemble and merge compared with their networks" }

  /// What is drawn, and under which setting.
  public var caption: String {
    "Differences over \(disagreement.examples) examples; bars are 95 % normal intervals, paired over examples. The "
      + "ensemble averages probabilities. \(setting)."
  }

  /// A row for each difference: accuracies as fractions, losses in nats.
  public var table: Table {
    Table(
      columns: ["of", "from", "accuracy", "accuracy_lower", "accuracy_upper", "loss_nats", "loss_lower", "loss_upper"],
      rows: disagreement.differences.map {
        [
          .text($0.of), .text($0.from), .number($0.accuracy), .number($0.accuracyLower), .number($0.accuracyUpper),
          .number($0.loss), .number($0.lossLower), .number($0.lossUpper),
        ]
      })
  }

  /// How Vega-Lite draws it.
  public var spec: Spec {
    Spec(
      panels: [
        panel("accuracy, percentage points") { (100 * $0.accuracy, 100 * $0.accuracyLower, 100 * $0.accuracyUpper) },
        panel("loss, nats") { ($0.loss, $0.lossLower, $0.lossUpper) },
      ], columns: 2)
  }

  private func panel(_ title: String, _ value: (Disagreement.Difference) -> (Double, Double, Double)) -> Panel {
    let names = disagreement.differences.map { "\($0.of) − \($0.from)" }
    let values = disagreement.differences.map(value)
    let rows = zip(names, values).map { name, value -> JSON in
      ["name": .text(name), "mean": .number(value.0), "lower": .number(value.1), "upper": .number(value.2)]
    }
    let domain = paddedDomain(values.flatMap { [$0.1, $0.2] }, including: [0])
    let x = Channel.numbers("mean", title, ["domain": JSON(domain), "nice": false], format: ".3~g", ticks: 5)
    let marks = Marks(
      x: x, y: ["field": "name", "type": "nominal", "sort": JSON(names), "title": nil, "axis": ["labelLimit": 190]])
    let tooltip: JSON = JSON(
      [["field": "name", "title": "difference"], Channel.told("mean", nil, ".4~g")] + Channel.interval(".4~g"))
    return Panel(
      title, width: 260, height: Double(44 * names.count), rows: rows,
      layers: [
        Marks.rule("x"),
        marks.mark(
          "rule", ["strokeWidth": 1.5, "color": Palette.blue],
          ["x": x.merging(["field": "lower"]), "x2": ["field": "upper"]]),
        marks.points(70, ["opacity": 1, "color": Palette.blue], ["tooltip": tooltip]),
      ])
  }
}
