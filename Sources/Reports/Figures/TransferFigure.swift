import Foundation

/// Transfer learning on each test set: above, gain against the learning rate with Pearson's r and the least-squares
/// line; below, singles, merged networks and ensembles (the paper's Figures 6, 11, 12 and 22).
struct TransferFigure {
  let analysis: Analysis
  let transfer: Transfer

  private var measure: Measure { transfer.measure }
  private static let kinds = ["single", "merged", "ensemble"]

  func figure() -> Figure {
    let sets = transfer.testSets
    let gains = sets.enumerated().map { gainPanel($0.element, index: $0.offset) }
    let levels = sets.enumerated().map { levelPanel($0.element, index: $0.offset + sets.count) }
    let estimates = sets.flatMap(\.levels).map(\.gain)
    let bars = intervalWords(estimates, mark: "Bars above")
    let levelBars = intervalWords(sets.flatMap(\.levels).flatMap { [$0.single, $0.merged] }, mark: "Bars below")
    let words = sets.enumerated().map { index, set in
      "\(Figure.letter(index)): \(set.title), " + (set.correlation?.text("run") ?? "too few points for a correlation")
    }
    let level = measure == .accuracy ? "Accuracy" : "Loss"
    return Figure(
      name: "transfer-\(measure.rawValue)",
      title: "\(level) gain, singles and merged networks against the learning rate",
      caption:
        "Above: \(measure.name) of the merge (\(analysis.selection.words)) against the learning rate, "
        + "small points for single merges, with Pearson's r of gain and learning rate and the least-squares line, linear in the "
        + "learning rate and so bent on this logarithmic axis (\(words.joined(separator: "; "))). Below: "
        + "\(measure == .accuracy ? "accuracy" : "loss") of singles and merged networks"
        + (sets.contains { $0.levels.contains { $0.ensemble != nil } }
          ? " and of ensembles, which average probabilities" : "")
        + ". \(analysis.subjectText).\(bars)\(levelBars)",
      table: table, panels: .array(gains + levels), columns: sets.count)
  }

  private var table: Table {
    let columns = ["test_set", "learning_rate", "quantity", "value", "lower", "upper", "runs", "interval"]
    let rows = transfer.testSets.flatMap { set in
      set.levels.flatMap { level -> [[JSON]] in
        let quantities: [(String, Estimate?)] = [
          ("gain", level.gain), ("single", level.single), ("merged", level.merged), ("ensemble", level.ensemble),
        ]
        return quantities.compactMap { name, estimate in
          estimate.map { estimate in
            [
              .string(set.evaluation ?? "test"), .number(level.learningRate), .string(name), .number(estimate.value),
              JSON(estimate.lower), JSON(estimate.upper), .int(estimate.runs), .string(estimate.interval.rawValue),
            ]
          }
        }
      }
    }
    return Table(columns: columns, rows: rows)
  }

  private func x(_ set: Transfer.TestSet, title: Bool) -> JSON {
    let rates = set.levels.map(\.learningRate)
    let domain = paddedLogDomain(rates, margin: 0.08)
    return [
      "field": "rate", "type": "quantitative", "title": title ? "learning rate" : nil,
      "scale": ["type": "log", "domain": JSON(domain), "nice": false],
      "axis": [
        "values": JSON(rates.count <= 8 ? rates : logTicks(domain)), "format": valueFormat(rates),
        "labelOverlap": "greedy",
      ],
    ]
  }

  private func heading(_ index: Int, _ text: String, _ subtitle: String? = nil) -> JSON {
    let title: JSON = ["text": .string("\(Figure.letter(index))  \(text)"), "anchor": "start"]
    return subtitle.map { title.merging(["subtitle": .string($0)]) } ?? title
  }

  private func gainPanel(_ set: Transfer.TestSet, index: Int) -> JSON {
    let merges = analysis.completed.flatMap { run in
      analysis.selection.chosen(run, on: set.evaluation).compactMap { row -> JSON? in
        measure.gain(row).map { ["rate": .number(run.learningRate), "value": .number($0)] }
      }
    }
    let means = set.levels.map { Self.row($0.learningRate, $0.gain) }
    let rates = set.levels.map(\.learningRate)
    let line: [JSON] =
      set.correlation.map { fit in
        guard let low = rates.first, let high = rates.last, low > 0 else { return [] }
        return (0...60).map { step in
          let rate = low * pow(high / low, Double(step) / 60)
          return ["rate": .number(rate), "value": .number(fit.intercept + fit.slope * rate)]
        }
      } ?? []
    let x = x(set, title: false)
    let y: JSON = [
      "field": "value", "type": "quantitative", "title": index == 0 ? .string(measure.axisTitle) : nil,
      "scale": ["domain": JSON(domain(set)), "reverse": .bool(measure.sign < 0), "nice": false, "zero": false],
      "axis": ["tickCount": 6, "format": ".4~g"],
    ]
    let r = set.correlation.map { "r = \(roundedCorrelation($0.r))" + interval($0) } ?? "no correlation"
    let blue: JSON = .string(Palette.okabeIto[0])
    return [
      "width": 330, "height": 210, "title": heading(index, set.title, r),
      "layer": [
        Figure.zeroLine("y"),
        [
          "data": ["values": .array(line)],
          "mark": ["type": "line", "color": "#D55E00", "strokeDash": [6, 3], "strokeWidth": 1.8, "clip": true],
          "encoding": ["x": x, "y": y],
        ],
        [
          "data": ["values": .array(merges)],
          "mark": [
            "type": "point", "filled": true, "size": 16, "opacity": 0.5, "xOffset": 7, "color": blue, "clip": true,
          ],
          "encoding": ["x": x, "y": y],
        ],
        [
          "data": ["values": .array(means)], "transform": [["filter": "isValid(datum.lower)"]],
          "mark": ["type": "rule", "strokeWidth": 1.4, "color": blue, "clip": true],
          "encoding": ["x": x, "y": y.merging(["field": "lower"]), "y2": ["field": "upper"]],
        ],
        [
          "data": ["values": .array(means)],
          "mark": ["type": "point", "filled": true, "size": 70, "color": blue, "opacity": 1],
          "encoding": ["x": x, "y": y, "tooltip": Self.tooltip("gain (\(measure.unit))")],
        ],
      ],
    ]
  }

  private func levelPanel(_ set: Transfer.TestSet, index: Int) -> JSON {
    let kinds = Self.kinds.filter { $0 != "ensemble" || set.levels.contains { $0.ensemble != nil } }
    let rates = set.levels.map(\.learningRate)
    let spread = (rates.last ?? 1) / (rates.first ?? 1)
    let rows = set.levels.flatMap { level -> [JSON] in
      zip(Self.kinds, [level.single, level.merged, level.ensemble]).enumerated().compactMap { place, pair in
        // Moved apart by a little, lest the bars hide one another.
        let rate = level.learningRate * pow(spread, 0.014 * (Double(place) - 1))
        return pair.1.map { Self.row(rate, $0).merging(["kind": .string(pair.0)]) }
      }
    }
    let x = x(set, title: true)
    let estimates = set.levels.flatMap { [$0.single, $0.merged, $0.ensemble] }.compactMap(\.self)
    let domain = estimatesDomain(estimates)
    let y: JSON = [
      "field": "value", "type": "quantitative",
      "title": index == transfer.testSets.count ? .string(measure.levelTitle) : nil,
      "scale": ["domain": JSON(domain), "reverse": .bool(measure.sign < 0), "nice": false, "zero": false],
      "axis": ["tickCount": 6, "format": ".4~g"],
    ]
    let color: JSON = [
      "field": "kind", "type": "nominal", "title": nil, "sort": nil,
      "scale": [
        "domain": JSON(kinds), "range": JSON(["#8C8C8C", "#0072B2", "#E69F00"].prefix(kinds.count).map(\.self)),
      ],
      "legend": index + 1 == 2 * transfer.testSets.count ? ["orient": "right"] : nil,
    ]
    let data: JSON = ["values": .array(rows)]
    return [
      "width": 330, "height": 210, "title": heading(index, set.title), "data": data,
      "layer": [
        [
          "transform": [["filter": "isValid(datum.lower)"]],
          "mark": ["type": "rule", "strokeWidth": 1.3, "clip": true],
          "encoding": ["x": x, "y": y.merging(["field": "lower"]), "y2": ["field": "upper"], "color": color],
        ],
        ["mark": ["type": "line", "strokeWidth": 1.8], "encoding": ["x": x, "y": y, "color": color]],
        [
          "mark": ["type": "point", "filled": true, "size": 55, "opacity": 1],
          "encoding": [
            "x": x, "y": y, "color": color, "tooltip": Self.tooltip(measure.levelTitle, first: [["field": "kind"]]),
          ],
        ],
      ],
    ]
  }

  /// All means, 0, and intervals as far as twice the range of the means.
  private func domain(_ set: Transfer.TestSet) -> [Double] {
    estimatesDomain(set.levels.map(\.gain), including: [0])
  }

  private func interval(_ correlation: Correlation) -> String {
    guard let lower = correlation.lower, let upper = correlation.upper else { return "" }
    return "  [\(roundedCorrelation(lower)), \(roundedCorrelation(upper))]"
  }

  private static func row(_ rate: Double, _ estimate: Estimate) -> JSON {
    [
      "rate": .number(rate), "value": .number(estimate.value), "runs": .int(estimate.runs),
      "lower": JSON(estimate.lower), "upper": JSON(estimate.upper),
    ]
  }

  private static func tooltip(_ title: String, first: [JSON] = []) -> JSON {
    let numbers: [JSON] = [
      ["field": "rate", "type": "quantitative", "format": ".3~g", "title": "learning rate"],
      ["field": "value", "type": "quantitative", "format": ".4~g", "title": .string(title)],
      ["field": "lower", "type": "quantitative", "format": ".4~g", "title": "95 % from"],
      ["field": "upper", "type": "quantitative", "format": ".4~g", "title": "95 % to"],
      ["field": "runs", "type": "quantitative", "title": "runs"],
    ]
    return .array(first + numbers)
  }
}
