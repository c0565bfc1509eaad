/// Merges across tasks of networks with equal learning rates: normalised accuracy over the coefficient (the paper's
/// Figure 8, left).
struct TaskCurvesFigure: Figure {
  let analysis: Analysis
  let group: TaskGroup
  /// The merges of networks with equal learning rates.
  let cells: [TaskMerges.Cell]

  /// One for each set of tasks, if networks with equal learning rates were merged.
  static func figures(of analysis: Analysis) -> [TaskCurvesFigure] {
    analysis.taskGroups.map { group in
      TaskCurvesFigure(analysis: analysis, group: group, cells: group.cells.filter(\.hasOneRate))
    }.filter { !$0.cells.isEmpty }
  }

  var name: String { "tasks-over-alpha" + group.suffix }
  var title: String { "Normalised accuracy across tasks against the merge coefficient" }

  var caption: String {
    let bars = intervalWords(cells.map(\.normalisedAccuracy), cutOff)
    return "Merges of networks trained on \(group.words) with the same learning rate: the accuracy of the merged "
      + "network as a percentage of that of the network trained on the task, averaged over the tasks. "
      + "\(analysis.subjectText).\(bars)" + (bars.isEmpty ? " One seed, so no interval." : "")
  }

  var table: Table { TaskGroup.table(cells) }

  var spec: Spec {
    let methods = cells.map(\.method).distinct()
    let domain = estimatesDomain(cells.map(\.normalisedAccuracy))
    let panels = methods.enumerated().map { index, method in
      CoefficientPanel(
        title: methodTitle(method), coefficient: coefficientName(method), symbol: coefficientName(method),
        points: cells.filter { $0.method == method }.map {
          .init(series: short($0.learningRates[0]), alpha: $0.alpha, value: $0.normalisedAccuracy)
        },
        series: Set(cells.map { $0.learningRates[0] }).sorted().map { short($0) }, seriesTitle: "learning rate",
        valueTitle: "normalised accuracy (%)", domain: domain, isFirst: index == 0, isLast: index == methods.count - 1
      ).panel
    }
    return Spec(panels: panels, columns: 3)
  }
}
