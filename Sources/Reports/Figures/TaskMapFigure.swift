import Support

/// Merges across two tasks by one method: normalised accuracy over both learning rates, a panel for each coefficient
/// (the paper's Figures 8, right, and 23).
struct TaskMapFigure: Figure {
  let analysis: Analysis
  let group: TaskGroup
  let method: String
  let cells: [TaskMerges.Cell]
  /// The learning rates of each of the two tasks.
  let rates: [[Double]]

  /// One for each method and two tasks with several learning rates each.
  static func figures(of analysis: Analysis) -> [TaskMapFigure] {
    analysis.taskGroups.flatMap { group in
      group.methods.compactMap { TaskMapFigure(analysis, group, $0) }
    }
  }

  private init?(_ analysis: Analysis, _ group: TaskGroup, _ method: String) {
    let cells = group.cells.filter { $0.method == method }
    rates = group.tasks.indices.map { index in Set(cells.map { $0.learningRates[index] }).sorted() }
    guard rates.count == 2, rates.allSatisfy({ $0.count > 1 }), cells.contains(where: { !$0.hasOneRate }) else {
      return nil
    }
    (self.analysis, self.group, self.method, self.cells) = (analysis, group, method, cells)
  }

  private var symbol: String { coefficientName(method) }

  var name: String { "tasks-heat-map-\(fileName(method))" + group.suffix }
  var title: String { "Normalised accuracy by both learning rates, \(methodTitle(method))" }

  var caption: String {
    "Normalised accuracy (%) of merges of networks trained on \(group.words) with each pair of learning rates, for "
      + "each \(symbol) (at most six are shown; the table has all); mean over "
      + "\(span(cells.map(\.normalisedAccuracy.runs), "seed")). Red: the best pair. Each panel has its own colour "
      + "scale. \(analysis.subjectText)."
  }

  var table: Table { TaskGroup.table(cells) }

  var spec: Spec {
    let panels = TaskMerges.shown(cells).enumerated().map { panel($0.element, hasTitle: $0.offset % 3 == 0) }
    return Spec(panels: panels, columns: 3, isLettered: false)
  }

  private func panel(_ alpha: Double, hasTitle: Bool) -> Panel {
    let most = max(rates[0].count, rates[1].count)
    let size = most > 6 ? 32 : max(46, 170 / most)
    let own = cells.filter { $0.alpha == alpha }
    let best = own.max { $0.value < $1.value }
    let middle = ((own.map(\.value).min() ?? 0) + (own.map(\.value).max() ?? 0)) / 2
    let rows = own.map { cell -> JSON in
      [
        "first": .text(short(cell.learningRates[0])), "second": .text(short(cell.learningRates[1])),
        "value": .number(cell.value), "light": .truth(cell.value > middle),
        "runs": .number(cell.normalisedAccuracy.runs),
        "best": .truth(cell.learningRates == best?.learningRates),
      ]
    }
    let titles = group.tasks.map { "learning rate of \($0)" }
    let marks = Marks(
      x: Channel.words(
        "first", titles[0], rates[0].map { short($0) }, axis: ["labelAngle": size * 2 < 80 ? -60 : 0]),
      y: Channel.words("second", hasTitle ? titles[1] : nil, rates[1].reversed().map { short($0) }))
    var layers: [JSON] = [
      marks.mark(
        "rect", [:],
        [
          "color": [
            "field": "value", "type": "quantitative", "title": "%",
            "scale": ["scheme": "viridis", "zero": false, "nice": false],
            "legend": ["gradientLength": .number(size * rates[1].count - 30), "tickCount": 4, "format": ".0f"],
          ],
          "tooltip": [
            ["field": "first", "title": .text(titles[0])], ["field": "second", "title": .text(titles[1])],
            Channel.told("value", "normalised accuracy (%)", ".2f"), Channel.told("runs", "runs"),
          ],
        ]),
      marks.mark("rect", ["fillOpacity": 0, "stroke": Palette.red, "strokeWidth": 3])
        .merging(["transform": [["filter": "datum.best"]]]),
    ]
    // In small cells there is no room for numbers.
    if size > 40 {
      layers.append(
        marks.mark(
          "text", ["fontSize": 11],
          [
            "text": Channel.told("value", nil, ".1f"),
            "color": ["condition": ["test": "datum.light", "value": "#111111"], "value": "#FFFFFF"],
          ]))
    }
    return Panel(
      "\(symbol) = \(short(alpha))", width: Double(size * rates[0].count), height: Double(size * rates[1].count),
      rows: rows, layers: layers)
  }
}
