import Foundation

/// Merges across tasks: normalised accuracy over the coefficient for equal learning rates (the paper's Figure 8, left),
/// and over both learning rates for each coefficient (Figure 8, right, and 23).
struct TaskFigures {
  let analysis: Analysis
  let merges: TaskMerges

  func figures() -> [Figure] {
    let places = merges.groups.flatMap { group in merges.taskSets.map { (group: group, tasks: $0) } }
    return places.flatMap { group, tasks in
      let cells = merges.cells.filter { $0.group == group && $0.tasks == tasks }
      let suffix =
        (merges.taskSets.count > 1 ? "-" + fileName(tasks.joined(separator: "-")) : "")
        + (group.isEmpty ? "" : "-" + fileName(group))
      let maps = merges.methods.map { heatMap(cells, $0, tasks, group, suffix) }
      return ([curves(cells, tasks, group, suffix)] + maps).compactMap(\.self)
    }
  }

  private func place(_ tasks: [String], _ group: String) -> String {
    tasks.joined(separator: " and ") + (group.isEmpty ? "" : " (\(group))")
  }

  /// Nil where no networks with equal learning rates were merged.
  private func curves(_ cells: [TaskMerges.Cell], _ tasks: [String], _ group: String, _ suffix: String) -> Figure? {
    let cells = cells.filter(\.hasOneRate)
    guard !cells.isEmpty else { return nil }
    let methods = merges.methods.filter { method in cells.contains { $0.method == method } }
    let names = Set(cells.map { $0.learningRates[0] }).sorted().map { short($0) }
    let domain = estimatesDomain(cells.map(\.normalisedAccuracy))
    let panels = methods.enumerated().map { index, method -> JSON in
      CoefficientPanel(
        letter: Figure.letter(index), title: methodTitle(method), coefficient: coefficientName(method),
        symbol: coefficientName(method),
        points: cells.filter { $0.method == method }.map {
          .init(series: short($0.learningRates[0]), alpha: $0.alpha, value: $0.normalisedAccuracy)
        },
        series: names, seriesTitle: "learning rate", valueTitle: "normalised accuracy (%)", domain: domain,
        isReversed: false, isFirst: index == 0, isLast: index == methods.count - 1
      ).json
    }
    let bars = intervalWords(cells.map(\.normalisedAccuracy), "; cut off at the frame where longer")
    return Figure(
      name: "tasks-over-alpha" + suffix, title: "Normalised accuracy across tasks over the merge coefficient",
      caption:
        "Networks trained on \(place(tasks, group)) with the same learning rate, merged: the mean over the tasks of the "
        + "merged network's accuracy over that of the network trained on the task, in percent. "
        + "\(analysis.subjectText).\(bars)"
        + (bars.isEmpty ? " One seed, so no interval." : ""),
      table: table(cells), panels: .array(panels), columns: 3)
  }

  private func table(_ cells: [TaskMerges.Cell]) -> Table {
    let names = cells.first?.tasks ?? []
    return Table(
      columns: ["method", "alpha"] + names.map { "learning_rate_\($0)" } + [
        "normalised_accuracy_percent", "lower", "upper", "runs",
      ],
      rows: cells.map { cell in
        [.string(cell.method), .number(cell.alpha)] + cell.learningRates.map { .number($0) } + [
          .number(cell.value), JSON(cell.normalisedAccuracy.lower), JSON(cell.normalisedAccuracy.upper),
          .int(cell.normalisedAccuracy.runs),
        ]
      })
  }

  /// At most six coefficients, evenly among those tried and with the best among them.
  static func shown(_ cells: [TaskMerges.Cell]) -> [Double] {
    let alphas = Set(cells.map(\.alpha)).subtracting([0]).sorted()
    guard alphas.count > 6 else { return alphas }
    var places = (0..<6).map { ($0 * (alphas.count - 1) + 2) / 5 }
    if let best = cells.max(by: { $0.value < $1.value }), let place = alphas.firstIndex(of: best.alpha),
      let nearest = places.indices.min(by: { abs(places[$0] - place) < abs(places[$1] - place) })
    {
      places[nearest] = place
    }
    return Set(places).sorted().map { alphas[$0] }
  }

  /// Nil where there are not two tasks with several learning rates each.
  private func heatMap(
    _ cells: [TaskMerges.Cell], _ method: String, _ tasks: [String], _ group: String, _ suffix: String
  ) -> Figure? {
    let cells = cells.filter { $0.method == method }
    let rates = tasks.indices.map { index in Set(cells.map { $0.learningRates[index] }).sorted() }
    guard rates.count == 2, rates.allSatisfy({ $0.count > 1 }), cells.contains(where: { !$0.hasOneRate }) else {
      return nil
    }
    let symbol = coefficientName(method)
    let alphas = Self.shown(cells)
    let most = max(rates[0].count, rates[1].count)
    let size = most > 6 ? 32 : max(46, 170 / most)
    let hasNumbers = size > 40
    let panels = alphas.enumerated().map { index, alpha -> JSON in
      let own = cells.filter { $0.alpha == alpha }
      let best = own.max { $0.value < $1.value }
      let middle = ((own.map(\.value).min() ?? 0) + (own.map(\.value).max() ?? 0)) / 2
      let rows = own.map { cell -> JSON in
        [
          "first": .string(short(cell.learningRates[0])), "second": .string(short(cell.learningRates[1])),
          "value": .number(cell.value), "light": .bool(cell.value > middle), "runs": .int(cell.normalisedAccuracy.runs),
          "best": .bool(cell.learningRates == best?.learningRates),
        ]
      }
      let x: JSON = [
        "field": "first", "type": "ordinal", "sort": JSON(rates[0].map { short($0) }),
        "title": .string("learning rate of \(tasks[0])"), "axis": ["labelAngle": size * 2 < 80 ? -60 : 0],
      ]
      let y: JSON = [
        "field": "second", "type": "ordinal", "sort": JSON(rates[1].reversed().map { short($0) }),
        "title": index % 3 == 0 ? .string("learning rate of \(tasks[1])") : nil,
      ]
      let base: JSON = ["x": x, "y": y]
      let numbers: [JSON] =
        hasNumbers
        ? [
          [
            "mark": ["type": "text", "fontSize": 11],
            "encoding": base.merging([
              "text": ["field": "value", "type": "quantitative", "format": ".1f"],
              "color": ["condition": ["test": "datum.light", "value": "#111111"], "value": "#FFFFFF"],
            ]),
          ]
        ] : []
      return [
        "width": .int(size * rates[0].count), "height": .int(size * rates[1].count),
        "title": ["text": .string("\(symbol) = \(short(alpha))")], "data": ["values": .array(rows)],
        "layer": .array(
          [
            [
              "mark": ["type": "rect"],
              "encoding": base.merging([
                "color": [
                  "field": "value", "type": "quantitative", "title": "%",
                  "scale": ["scheme": "viridis", "zero": false, "nice": false],
                  "legend": ["gradientLength": .int(size * rates[1].count - 30), "tickCount": 4, "format": ".0f"],
                ],
                "tooltip": [
                  ["field": "first", "title": .string("learning rate of \(tasks[0])")],
                  ["field": "second", "title": .string("learning rate of \(tasks[1])")],
                  ["field": "value", "type": "quantitative", "format": ".2f", "title": "normalised accuracy (%)"],
                  ["field": "runs", "type": "quantitative", "title": "runs"],
                ],
              ]),
            ],
            [
              "transform": [["filter": "datum.best"]],
              "mark": ["type": "rect", "fillOpacity": 0, "stroke": "#D00000", "strokeWidth": 3],
              "encoding": base,
            ],
          ] + numbers),
      ]
    }
    let runs = cells.map(\.normalisedAccuracy.runs)
    return Figure(
      name: "tasks-heat-map-\(fileName(method))" + suffix,
      title: "Normalised accuracy over both learning rates, \(methodTitle(method))",
      caption:
        "Normalised accuracy (%) of merges of networks trained on \(place(tasks, group)) with each pair of learning "
        + "rates, for each \(symbol) (at most six are shown; the table has all); mean over \(span(runs, "seed")). Red: "
        + "the best pair. Each panel has its own colour scale. \(analysis.subjectText).",
      table: table(cells), panels: .array(panels), columns: 3)
  }
}
