import Foundation
import Studies

/// One line for each run of a study, for the page and for `runs.csv`.
struct RunTable: Sendable {
  struct Column: Sendable {
    var title: String
    var isNumber: Bool
  }

  /// What is shown, and what is sorted by where that is something else; an empty value sorts last.
  struct Entry: Sendable {
    var text: String
    var value: String?
  }

  let columns: [Column]
  let rows: [[Entry]]
  /// The same as numbers.
  let table: Table

  init(analysis: Analysis) {
    let swept = analysis.results.axes.map { Axis(key: $0) }
    let selection = analysis.selection
    columns =
      [Column(title: "run", isNumber: false)] + swept.map { Column(title: $0.title, isNumber: true) } + [
        Column(title: "seed", isNumber: true), Column(title: "status", isNumber: false),
        Column(title: "S̃", isNumber: true), Column(title: "merges", isNumber: true),
        Column(title: "single accuracy (%)", isNumber: true), Column(title: "accuracy gain (pp)", isNumber: true),
        Column(title: "loss gain (nats)", isNumber: true), Column(title: "training loss (nats)", isNumber: true),
      ]
    var rows: [[Entry]] = []
    var numbers: [[JSON]] = []
    for configuration in analysis.configurations {
      for run in configuration.runs {
        let merges = selection.chosen(run)
        let singles = merges.compactMap(\.singleAccuracy).filter(\.isFinite)
        let single = singles.isEmpty ? nil : 100 * mean(singles)
        let gains = Measure.allCases.map { RunGain(run, $0, selection) }
        rows.append(
          [Entry(text: run.id)]
            + swept.map { axis in
              Entry(text: axis.text(configuration), value: axis.number(configuration).map { String($0) })
            } + [
              Entry(text: String(run.seed)), Entry(text: Self.status(run.status)),
              Entry(text: short(run.noiseProxy, digits: 3), value: String(run.noiseProxy)),
              Entry(text: String(merges.count)), Self.entry(single) { String(format: "%.2f", $0) },
            ]
            + zip(Measure.allCases, gains).map { measure, gain in
              Self.entry(gain?.value) { value in
                let error = gain?.error.map { " ± " + String(format: measure == .accuracy ? "%.2f" : "%.4f", $0) }
                return measure.text(value, unit: false) + (error ?? "")
              }
            } + [Self.entry(run.finalTrainLoss) { short($0, digits: 3) }])
        numbers.append(
          [.string(run.id)] + swept.map { .string($0.text(configuration)) } + [
            .int(run.seed), .string(Self.status(run.status)), .number(run.noiseProxy), .int(merges.count), JSON(single),
            JSON(gains[0]?.value), JSON(gains[0]?.error), JSON(gains[1]?.value), JSON(gains[1]?.error),
            JSON(run.finalTrainLoss),
          ])
      }
    }
    self.rows = rows
    table = Table(
      columns: ["run"] + swept.map(\.key) + [
        "seed", "status", "noise_proxy", "merges", "single_accuracy_percent", "accuracy_gain_pp",
        "accuracy_gain_error_pp",
        "loss_gain_nats", "loss_gain_error_nats", "train_loss_nats",
      ], rows: numbers)
  }

  private static func entry(_ value: Double?, _ text: (Double) -> String) -> Entry {
    guard let value, value.isFinite else { return Entry(text: "–", value: "") }
    return Entry(text: text(value), value: String(value))
  }

  private static func status(_ status: RunStatus) -> String {
    switch status {
    case .failed(let reason): "failed: \(reason)"
    case .diverged(let step): "diverged at step \(step)"
    case .pending, .running, .done: statusWord(status)
    }
  }
}
