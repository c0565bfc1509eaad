import Foundation

/// Gain against the learning rate, against the batch size and against the noise proxy side by side, on one vertical
/// axis (the paper's Figure 1): what falls apart over each of the swept quantities should fall together over S̃.
struct AlignedFigure {
  let analysis: Analysis
  let measure: Measure

  /// Nil where fewer than two of the quantities in S̃ are swept.
  func figure() -> Figure? {
    let swept = analysis.axes.filter { [.learningRate, .batchSize, .momentum].contains($0.quantity) }
    guard swept.count > 1, let noise = analysis.noiseAxes.first else { return nil }
    let panels = (swept + analysis.noiseAxes).compactMap { GainPanel(analysis, measure, over: $0) }
    guard panels.count > 2, let last = panels.first(where: { $0.axis == noise }) else { return nil }
    let domain = last.verticalDomain
    let views = panels.enumerated().map { index, panel -> JSON in
      JSON.object(panel.view(domain: domain, isPart: true, isFirst: index == 0)).merging([
        "width": .number(GainPanel.partWidth), "height": 250,
        "title": ["text": .string("\(Figure.letter(index))"), "anchor": "start"],
      ])
    }
    let columns = panels[0].table.columns
    let rows = panels.flatMap { panel in panel.table.rows.map { [.string(panel.axis.title)] + $0 } }
    let lines = panels.enumerated().map { index, panel in
      "\(Figure.letter(index)): against \(panel.axis.title)"
        + (panel.seriesAxes.isEmpty
          ? "" : ", one line for each \(panel.seriesAxes.map(\.title).joined(separator: " and "))")
    }
    var caption =
      "\(measure == .accuracy ? "Accuracy" : "Loss") gain of the merge, the same runs three times: "
      + "\(lines.joined(separator: "; ")). \(analysis.settingText)."
    caption += intervalWords(last.points.map(\.gain), "; cut off at the frame where longer")
    caption += " \(analysis.proxyText)."
    if panels.contains(where: \.hasTrend) { caption += " Broad grey line: local linear trend through all runs." }
    return Figure(
      name: "\(measure == .accuracy ? "accuracy" : "loss")-gain-aligned",
      title: "\(measure == .accuracy ? "Accuracy" : "Loss") gain against what is swept, and against S̃",
      caption: caption.replacingOccurrences(of: "three times", with: "\(panels.count) times"),
      table: Table(columns: ["quantity"] + columns, rows: rows), panels: .array(views))
  }
}
