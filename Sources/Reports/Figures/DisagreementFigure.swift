import Foundation
import Landscape

/// The accuracy and loss of networks, their ensemble and their merge, as differences from the networks' mean.
public struct DisagreementFigure: Sendable {
  public var disagreement: Disagreement
  /// Network, data and what was done about BatchNorm.
  public var setting: String

  public init(_ disagreement: Disagreement, setting: String) {
    (self.disagreement, self.setting) = (disagreement, setting)
  }

  public func figure() -> Figure {
    Figure(
      name: "disagreement", title: "Ensemble and merge beside their networks",
      caption:
        "Differences over \(disagreement.examples) examples; bars are 95 % intervals paired over examples (normal). "
        + "The ensemble is the mean of probabilities. \(setting).",
      table: Table(
        columns: [
          "of", "from", "accuracy", "accuracy_lower", "accuracy_upper", "loss_nats", "loss_lower", "loss_upper",
        ],
        rows: disagreement.differences.map {
          [
            .string($0.of), .string($0.from), .number($0.accuracy), .number($0.accuracyLower),
            .number($0.accuracyUpper),
            .number($0.loss), .number($0.lossLower), .number($0.lossUpper),
          ]
        }),
      panels: [
        panel("a", "accuracy, percentage points") {
          (100 * $0.accuracy, 100 * $0.accuracyLower, 100 * $0.accuracyUpper)
        },
        panel("b", "loss, nats") { ($0.loss, $0.lossLower, $0.lossUpper) },
      ], columns: 2)
  }

  private func panel(
    _ letter: String, _ title: String, _ value: (Disagreement.Difference) -> (Double, Double, Double)
  ) -> JSON {
    let names = disagreement.differences.map { "\($0.of) − \($0.from)" }
    let rows = zip(names, disagreement.differences).map { name, difference -> JSON in
      let (mean, lower, upper) = value(difference)
      return ["name": .string(name), "mean": .number(mean), "lower": .number(lower), "upper": .number(upper)]
    }
    let domain = paddedDomain(
      disagreement.differences.flatMap { [value($0).1, value($0).2] }, including: [0])
    let x: JSON = [
      "field": "mean", "type": "quantitative", "title": .string(title),
      "scale": ["domain": JSON(domain), "nice": false], "axis": ["tickCount": 5, "format": ".3~g"],
    ]
    let y: JSON = ["field": "name", "type": "nominal", "sort": JSON(names), "title": nil, "axis": ["labelLimit": 190]]
    return [
      "width": 260, "height": .int(44 * names.count), "title": ["text": .string("\(letter)  \(title)")],
      "data": ["values": .array(rows)],
      "layer": [
        Figure.zeroLine("x"),
        [
          "mark": ["type": "rule", "strokeWidth": 1.5, "color": .string(Palette.okabeIto[0])],
          "encoding": ["x": x.merging(["field": "lower"]), "x2": ["field": "upper"], "y": y],
        ],
        [
          "mark": ["type": "point", "filled": true, "size": 70, "opacity": 1, "color": .string(Palette.okabeIto[0])],
          "encoding": [
            "x": x, "y": y,
            "tooltip": [
              ["field": "name", "title": "difference"],
              ["field": "mean", "type": "quantitative", "format": ".4~g"],
              ["field": "lower", "type": "quantitative", "format": ".4~g", "title": "95 % from"],
              ["field": "upper", "type": "quantitative", "format": ".4~g", "title": "95 % to"],
            ],
          ],
        ],
      ],
    ]
  }
}
