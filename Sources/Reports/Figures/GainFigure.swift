import Foundation
import Studies

/// Gain against one swept quantity or noise proxy, in a figure of its own.
struct GainFigure {
  let analysis: Analysis
  let measure: Measure
  let axis: Axis

  /// Nil where no configuration has both a position on the axis and a gain.
  func figure() -> Figure? {
    guard let panel = GainPanel(analysis, measure, over: axis) else { return nil }
    return Figure(
      name: "\(measure == .accuracy ? "accuracy" : "loss")-gain-against-\(axis.slug)",
      title: "\(measure == .accuracy ? "Accuracy" : "Loss") gain against \(axis.title)",
      caption: caption(panel), table: panel.table, view: panel.view())
  }

  private func caption(_ panel: GainPanel) -> String {
    var text =
      measure == .accuracy
      ? "Test accuracy of the merge less that of its singles"
      : "Test loss of the merge less that of its singles (lower is better)"
    text += ", against \(axis.title)"
    if !panel.seriesAxes.isEmpty {
      text += ", one line for each \(panel.seriesAxes.map(\.title).joined(separator: " and "))"
    }
    text += ". \(analysis.settingText)."
    text += intervalWords(panel.points.map(\.gain), "; cut off at the frame where longer")
    if axis.isNoise { text += " \(analysis.proxyText)." }
    if panel.hasTrend { text += " Broad grey line: local linear trend through all runs." }
    if let test = panel.test, let best = test.best, test.verdict == .significant || test.verdict == .notSignificant {
      text +=
        " Ring: the best level inside the range, \(InteriorMaximum.range(best, symbol: axis.shortName)), with its "
        + "interval over all runs "
        + "at that level."
    }
    return text
  }
}

/// " Bars: 95 % confidence intervals, Student-t over seeds." with every kind that occurs, or nothing.
func intervalWords(_ estimates: [Estimate], _ remark: String = "", mark: String = "Bars") -> String {
  let kinds = Set(estimates.filter { $0.lower != nil }.map(\.interval))
  let words = [Estimate.Interval.seeds, .testExamples, .endpoints].filter(kinds.contains).compactMap(\.words)
  return words.isEmpty ? "" : " \(mark): 95 % confidence intervals, \(words.joined(separator: ", "))\(remark)."
}

/// "< 0.0001", "= 0.012".
func probability(_ p: Double) -> String {
  p < 0.0001 ? "< 0.0001" : "= " + String(format: p < 0.001 ? "%.4f" : p < 0.1 ? "%.3f" : "%.2f", p)
}
