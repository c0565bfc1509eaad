/// Gain against a swept quantity or noise proxy, or against several side by side on one vertical axis (the paper's
/// Figure 1): curves that differ over each swept quantity should coincide over S̃.
struct GainFigure: Figure {
  let analysis: Analysis
  let measure: Measure
  let panels: [GainPanel]

  /// For each measure, one figure against all swept quantities that S̃ depends on, if there are several, and one
  /// against each swept quantity and noise proxy.
  static func figures(of analysis: Analysis) -> [GainFigure] {
    let swept = analysis.axes.filter { [.learningRate, .batchSize, .momentum].contains($0.quantity) }
    let proxies = analysis.noiseAxes
    let isAligned = swept.count > 1 && !proxies.isEmpty
    let axes = (isAligned ? [swept + proxies] : []) + (analysis.axes + proxies).map { [$0] }
    return analysis.measures.flatMap { measure in
      axes.map { axes in
        GainFigure(
          analysis: analysis, measure: measure, panels: axes.compactMap { GainPanel(analysis, measure, over: $0) })
      }.filter { !$0.panels.isEmpty }
    }
  }

  private var isAligned: Bool { panels.count > 1 }

  var name: String { "\(measure.rawValue)-gain-" + (isAligned ? "aligned" : "against-\(panels[0].axis.slug)") }

  var title: String {
    "\(measure.rawValue.capitalized) gain against "
      + (isAligned ? "each swept quantity and against S̃" : panels[0].axis.title)
  }

  var caption: String {
    let axis = panels[0].axis
    let subject =
      isAligned
      ? "\(measure.rawValue.capitalized) gain of the merge, the same runs in \(panels.count) views: "
        + lettered(panels.map(against))
      : "Test \(measure.rawValue) of the merge minus that of its singles"
        + "\(measure.sign < 0 ? " (lower is better)" : ""), \(against(panels[0]))"
    var text = "\(subject). \(analysis.settingText)." + intervalWords(panels[0].points.map(\.gain), cutOff)
    if isAligned || axis.isNoise { text += " \(analysis.proxyText)." }
    if panels.contains(where: \.hasTrend) { text += " Wide grey line: local linear trend through all runs." }
    if !isAligned, let best = panels[0].test?.inside {
      text +=
        " Ring: the best level inside the range, \(InteriorMaximum.range(best, symbol: axis.shortName)), with its "
        + "interval over all runs at that level."
    }
    return text
  }

  private func against(_ panel: GainPanel) -> String {
    let lines = panel.seriesAxes.map(\.title).joined(separator: " and ")
    return "against \(panel.axis.title)" + (lines.isEmpty ? "" : ", one line per \(lines)")
  }

  var table: Table {
    guard isAligned else { return panels[0].table }
    return Table(
      columns: ["quantity"] + panels[0].table.columns,
      rows: panels.flatMap { panel in panel.table.rows.map { [.text(panel.axis.title)] + $0 } })
  }

  var spec: Spec {
    guard isAligned else { return Spec(panels[0].view()) }
    return Spec(
      panels: panels.enumerated().map { index, panel in
        Panel(
          heading: ["anchor": "start"], width: GainPanel.partWidth, height: 250,
          view: panel.view(isPart: true, isFirst: index == 0))
      })
  }
}
