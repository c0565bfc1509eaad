import Foundation
import Studies

/// One line for each run of a study, for the page and for `runs.csv`.
struct RunTable {
  private struct Column {
    /// The heading on the page; nil for a column of the file alone.
    var title: String?
    /// The name in the file.
    var key: String
    var isNumber = true
    var entry: (Configuration, RunResults) -> Entry
  }

  private struct Entry {
    /// What the file holds.
    var cell: Table.Cell
    /// What the page shows.
    var text: String
    /// What the page sorts by, if that is not the text; an empty value sorts last.
    var value: String?

    init(_ cell: Table.Cell, _ text: String, value: String? = nil) {
      (self.cell, self.text, self.value) = (cell, text, value)
    }

    init(_ number: Double?, _ text: (Double) -> String) {
      if let number, number.isFinite {
        self.init(.number(number), text(number), value: String(number))
      } else {
        self.init(.missing, "–", value: "")
      }
    }
  }

  private let columns: [Column]
  private let rows: [[Entry]]

  init(analysis: Analysis) {
    let columns = Self.columns(analysis)
    self.columns = columns
    rows = analysis.configurations.flatMap { configuration in
      configuration.runs.map { run in columns.map { $0.entry(configuration, run) } }
    }
  }

  private static func columns(_ analysis: Analysis) -> [Column] {
    let selection = analysis.selection
    let swept = analysis.results.axes.map { Axis(key: $0) }.map { axis in
      Column(title: axis.title, key: axis.key) { configuration, _ in
        let text = axis.text(configuration)
        return Entry(.text(text), text, value: axis.number(configuration).map { String($0) })
      }
    }
    let gains = Measure.allCases.flatMap { measure in
      let (digits, key) = (measure == .accuracy ? "%.2f" : "%.4f", "\(measure.rawValue)_gain")
      return [
        Column(title: "\(measure.name) (\(measure.unit))", key: "\(key)_\(measure.unit)") { _, run in
          let gain = RunGain(run, measure, selection)
          let error = gain?.error.map { " ± " + String(format: digits, $0) } ?? ""
          return Entry(gain?.value) { measure.text($0, unit: false) + error }
        },
        Column(key: "\(key)_error_\(measure.unit)") { _, run in
          Entry(RunGain(run, measure, selection)?.error) { String(format: digits, $0) }
        },
      ]
    }
    return [Column(title: "run", key: "run", isNumber: false) { Entry(.text($1.id), $1.id) }] + swept + [
      Column(title: "seed", key: "seed") { Entry(.whole($1.seed), String($1.seed)) },
      Column(title: "status", key: "status", isNumber: false) { Entry(.text(status($1.status)), status($1.status)) },
      Column(title: "S̃", key: "noise_proxy") { Entry($1.noiseProxy) { short($0, digits: 3) } },
      Column(title: "merges", key: "merges") { _, run in
        let count = selection.chosen(run).count
        return Entry(.whole(count), String(count))
      },
      Column(title: "single accuracy (%)", key: "single_accuracy_percent") { _, run in
        let singles = selection.chosen(run).compactMap(\.singleAccuracy).filter(\.isFinite)
        return Entry(singles.isEmpty ? nil : 100 * mean(singles)) { String(format: "%.2f", $0) }
      },
    ] + gains + [
      Column(title: "training loss (nats)", key: "train_loss_nats") {
        Entry($1.finalTrainLoss) { short($0, digits: 3) }
      }
    ]
  }

  private static func status(_ status: RunStatus) -> String {
    switch status {
    case .failed(let reason): "failed: \(reason)"
    case .diverged(let step): "diverged at step \(step)"
    case .pending, .running, .done: status.word
    }
  }

  /// What `runs.csv` holds.
  var table: Table { Table(columns: columns.map(\.key), rows: rows.map { $0.map(\.cell) }) }

  /// The lines, with buttons to sort them by a column.
  var html: String {
    let shown = columns.indices.filter { columns[$0].title != nil }
    func kind(_ index: Int) -> String { columns[index].isNumber ? " class=\"number\"" : "" }
    let heads = shown.map { index in
      let title = escaped(columns[index].title ?? "")
      return "<th scope=\"col\"\(kind(index))><button type=\"button\">\(title)</button></th>"
    }
    let lines = rows.map { row in
      let cells = shown.map { index in
        let value = row[index].value.map { " data-value=\"\(escaped($0))\"" } ?? ""
        let text = escaped(row[index].text)
        return "<td\(kind(index))\(value)>\(index == 0 ? "<code>\(text)</code>" : text)</td>"
      }
      return "<tr>\(cells.joined())</tr>"
    }
    return """
      <p class="note">Gains are shown with their standard errors over test examples. Click a column heading to sort by \
      it.</p>
      <div class="scroll"><table>
      <thead><tr>\(heads.joined())</tr></thead>
      <tbody>
      \(lines.joined(separator: "\n"))
      </tbody>
      </table></div>
      """
  }
}
