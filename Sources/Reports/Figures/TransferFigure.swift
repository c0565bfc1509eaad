import Foundation
import Support

/// Transfer learning on each test set: above, gain against the learning rate with Pearson's r and the least-squares
/// line; below, singles, merged networks and ensembles (the paper's Figures 6, 11, 12 and 22).
struct TransferFigure: Figure {
  let analysis: Analysis
  let transfer: Transfer

  static func figures(of analysis: Analysis) -> [TransferFigure] {
    analysis.transfer.map { [TransferFigure(analysis: analysis, transfer: $0)] } ?? []
  }

  private var measure: Measure { transfer.measure }
  private var levels: [Transfer.Level] { transfer.testSets.flatMap(\.levels) }

  var name: String { "transfer-\(measure.rawValue)" }

  var title: String {
    "\(measure.rawValue.capitalized) gain, singles and merged networks against the learning rate"
  }

  var caption: String {
    let correlations = transfer.testSets.map { set in
      "\(set.title), " + (set.correlation?.text("run") ?? "too few points for a correlation")
    }
    return "Top: \(measure.name) of the merge (\(analysis.selection.words)) against the learning rate (small points: "
      + "individual merges), with Pearson's r of gain and learning rate and the least-squares line, which is linear in "
      + "the learning rate and so curves on this logarithmic axis (\(lettered(correlations))). Bottom: "
      + "\(measure.rawValue) of singles and merged networks"
      + (levels.contains { $0.ensemble != nil } ? " and of ensembles, which average probabilities" : "")
      + ". \(analysis.subjectText)." + intervalWords(levels.map(\.gain), mark: "Bars in the top row")
      + intervalWords(levels.flatMap { [$0.single, $0.merged] }, mark: "Bars in the bottom row")
  }

  var table: Table {
    let columns = ["test_set", "learning_rate", "quantity", "value", "lower", "upper", "runs", "interval"]
    let rows = transfer.testSets.flatMap { set in
      set.levels.flatMap { level in
        ([("gain", level.gain)] + level.kinds).map { name, estimate -> [Table.Cell] in
          [.text(set.evaluation ?? "test"), .number(level.learningRate), .text(name)] + estimate.cells + [
            .text(estimate.interval.rawValue)
          ]
        }
      }
    }
    return Table(columns: columns, rows: rows)
  }

  var spec: Spec {
    let sets = transfer.testSets
    let gains = sets.enumerated().map { gainPanel($0.element, isFirst: $0.offset == 0) }
    let levels = sets.enumerated().map {
      levelPanel($0.element, isFirst: $0.offset == 0, isLast: $0.offset == sets.count - 1)
    }
    return Spec(panels: gains + levels, columns: sets.count)
  }

  private func rates(_ set: Transfer.TestSet, title: String?) -> JSON {
    let rates = set.levels.map(\.learningRate)
    return Channel.logarithmic(
      "rate", title, paddedLogDomain(rates, margin: 0.08), ticks: rates.count <= 8 ? rates : nil,
      format: valueFormat(rates), overlap: "greedy")
  }

  private func values(_ title: String?, _ estimates: [Estimate], including always: [Double] = []) -> JSON {
    Channel.numbers(
      "value", title, Channel.range(estimatesDomain(estimates, including: always), isReversed: measure.sign < 0))
  }

  private func gainPanel(_ set: Transfer.TestSet, isFirst: Bool) -> Panel {
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
    let r = set.correlation.map { "r = \(roundedCorrelation($0.r))" + interval($0) } ?? "no correlation"
    let marks = Marks(
      x: self.rates(set, title: nil),
      y: values(isFirst ? measure.axisTitle : nil, set.levels.map(\.gain), including: [0]))
    let blue = Palette.blue
    return Panel(
      set.title, heading: ["anchor": "start", "subtitle": .text(r)], width: 330, height: 210,
      layers: [
        Marks.rule("y"),
        marks.line(["color": "#D55E00", "strokeDash": [6, 3], "strokeWidth": 1.8, "clip": true], rows: line),
        marks.points(16, ["opacity": 0.5, "xOffset": 7, "color": blue, "clip": true], rows: merges),
        marks.intervals(["strokeWidth": 1.4, "color": blue, "clip": true], rows: means),
        marks.points(
          70, ["color": blue, "opacity": 1], ["tooltip": JSON(Self.tooltip("gain (\(measure.unit))"))], rows: means),
      ])
  }

  private func levelPanel(_ set: Transfer.TestSet, isFirst: Bool, isLast: Bool) -> Panel {
    let kinds = set.levels.flatMap(\.kinds)
    let rates = set.levels.map(\.learningRate)
    let spread = (rates.last ?? 1) / (rates.first ?? 1)
    let rows = set.levels.flatMap { level in
      level.kinds.enumerated().map { place, kind in
        // A little apart, so that the bars do not hide one another.
        let rate = level.learningRate * pow(spread, 0.014 * (Double(place) - 1))
        return Self.row(rate, kind.value).merging(["kind": .text(kind.name)])
      }
    }
    let names = kinds.map(\.name).distinct()
    let color: JSON = [
      "field": "kind", "type": "nominal", "title": nil, "sort": nil,
      "scale": ["domain": JSON(names), "range": JSON(Array(["#8C8C8C", "#0072B2", "#E69F00"].prefix(names.count)))],
      "legend": isLast ? ["orient": "right"] : nil,
    ]
    let marks = Marks(
      x: self.rates(set, title: "learning rate"),
      y: values(isFirst ? measure.levelTitle : nil, kinds.map(\.value)), ["color": color])
    return Panel(
      set.title, heading: ["anchor": "start"], width: 330, height: 210, rows: rows,
      layers: [
        marks.intervals(["strokeWidth": 1.3, "clip": true]),
        marks.line(["strokeWidth": 1.8]),
        marks.points(
          55, ["opacity": 1], ["tooltip": JSON([["field": "kind"]] + Self.tooltip(measure.levelTitle))]),
      ])
  }

  private func interval(_ correlation: Correlation) -> String {
    guard let lower = correlation.lower, let upper = correlation.upper else { return "" }
    return "  [\(roundedCorrelation(lower)), \(roundedCorrelation(upper))]"
  }

  private static func row(_ rate: Double, _ estimate: Estimate) -> JSON {
    JSON(estimate.fields).merging(["rate": .number(rate), "runs": .number(estimate.runs)])
  }

  private static func tooltip(_ title: String) -> [JSON] {
    [Channel.told("rate", "learning rate", ".3~g")] + Channel.told(estimate: "value", title, ".4~g")
  }
}

extension Transfer.Level {
  /// The levels besides the gain; the ensemble only where it was evaluated.
  fileprivate var kinds: [(name: String, value: Estimate)] {
    [("single", single), ("merged", merged)] + (ensemble.map { [("ensemble", $0)] } ?? [])
  }
}
