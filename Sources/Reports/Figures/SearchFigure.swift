import Support

/// A search for the best merge: the best value over evaluations, and what was found along each range.
public struct SearchFigure: Figure {
  /// An evaluated candidate.
  public struct Candidate: Sendable {
    /// The loss in nats, or the accuracy as a fraction; nil where the evaluation failed.
    public var value: Double?
    /// Of each range: a number, or the name of a choice.
    public var values: [String]

    /// A candidate and what its evaluation gave.
    public init(value: Double?, values: [String]) { (self.value, self.values) = (value, values) }
  }

  /// What makes a merge good.
  public enum Metric: String, Sendable { case accuracy, loss }

  private let ranges: [String]
  private let candidates: [Candidate]
  private let metric: Metric
  private let setting: String

  /// - Parameters:
  ///   - ranges: their names
  ///   - candidates: in the order in which they were evaluated, with a value for each range
  ///   - setting: what was merged and how it was measured, for the caption
  public init(ranges: [String], candidates: [Candidate], metric: Metric, setting: String) {
    (self.ranges, self.candidates, self.metric, self.setting) = (ranges, candidates, metric, setting)
  }

  /// The best value up to each evaluation.
  private var best: [Double?] {
    var best: Double?
    return candidates.map { candidate in
      if let value = candidate.value { best = best.map { metric == .loss ? min($0, value) : max($0, value) } ?? value }
      return best
    }
  }

  private var quantity: String { metric == .loss ? "loss, nats" : "accuracy, %" }
  private func drawn(_ value: Double?) -> JSON { .number(value.map { metric == .loss ? $0 : 100 * $0 }) }

  /// The name of its files, without extension.
  public var name: String { "search" }
  /// What it shows, in a line.
  public var title: String { "Search for the best merge" }

  /// What is drawn, and under which setting.
  public var caption: String {
    let failed = candidates.count { $0.value == nil }
    return
      "a: \(metric.rawValue) of every candidate (points) and the best so far (line). From b on: the same against each "
      + "range. Points on the edge lie beyond it. \(setting)."
      + (failed > 0 ? " \(counted(failed, "candidate")) could not be merged or measured." : "")
  }

  /// A row for each candidate: loss in nats or accuracy as a fraction, and the values of the ranges.
  public var table: Table {
    Table(
      columns: ["evaluation", metric == .loss ? "loss_nats" : "accuracy", "best"] + ranges,
      rows: zip(candidates, best).enumerated().map { index, row in
        [.number(index + 1), .number(row.0.value), .number(row.1)]
          + row.0.values.map { text in Double(text).map { .number($0) } ?? .text(text) }
      })
  }

  /// From the best value to three times as far from it as the median: a merge that collapsed is so much worse that the
  /// others could not be told apart.
  private var domain: [Double] {
    let values = candidates.compactMap(\.value).map { metric == .loss ? $0 : -100 * $0 }.sorted()
    guard let best = values.first, let worst = values.last else { return [0, 1] }
    let reach = min(worst - best, 3 * (values[values.count / 2] - best))
    let pad = max(0.06 * reach, 1e-3 * max(1, abs(best)))
    let ends = [best - pad, best + reach + pad]
    return metric == .loss ? ends : ends.reversed().map { -$0 }
  }

  /// At most so many ranges are drawn; the table has all.
  private static let most = 11

  /// How Vega-Lite draws it.
  public var spec: Spec {
    let rows = zip(candidates, best).enumerated().map { index, row -> JSON in
      var fields: [String: JSON] = [
        "evaluation": .number(index + 1), "value": drawn(row.0.value), "best": drawn(row.1),
      ]
      for (place, text) in row.0.values.enumerated() {
        fields["r\(place)"] = Double(text).map { .number($0) } ?? .text(text)
      }
      return JSON(fields)
    }
    let y = Channel.numbers("value", quantity, ["domain": JSON(domain), "nice": false, "clamp": true])
    let tooltip: [JSON] = [
      ["field": "evaluation"], ["field": "value", "format": ".5~g", "title": .text(quantity)],
    ]
    let over = Marks(
      x: [
        "field": "evaluation", "type": "quantitative", "title": "evaluations",
        "axis": ["tickMinStep": 1, "tickCount": 6], "scale": ["domain": [0, .number(max(1, candidates.count))]],
      ], y: y)
    let curve = Panel(
      "best so far", width: 300, height: 220, rows: rows,
      layers: [
        over.points(28, ["opacity": 0.55], ["color": ["value": Palette.blue], "tooltip": JSON(tooltip)]),
        over.line(
          ["interpolate": "step-after", "strokeWidth": 2],
          ["y": y.merging(["field": "best"]), "color": ["value": .text(Palette.okabeIto[1])]]),
      ])
    let panels = ranges.prefix(Self.most).enumerated().map { index, name -> Panel in
      let isNumeric = candidates.allSatisfy { Double($0.values[index]) != nil }
      let (field, type): (JSON, JSON) = (.text("r\(index)"), isNumeric ? "quantitative" : "nominal")
      let marks = Marks(
        x: [
          "field": field, "type": type, "title": .text(name),
          "axis": isNumeric ? ["tickCount": 5] : ["labelAngle": 0], "scale": isNumeric ? ["zero": false] : [:],
        ], y: y,
        [
          "color": [
            "field": "evaluation", "type": "quantitative", "title": "evaluation", "scale": ["scheme": "viridis"],
            "legend": index == 0 ? [:] : nil,
          ],
          "tooltip": JSON(tooltip + [["field": field, "title": .text(name), "type": type]]),
        ])
      return Panel(
        name, width: 300, height: 220, rows: rows,
        view: marks.fields("point", ["filled": true, "size": 34, "opacity": 0.9]))
    }
    return Spec(panels: [curve] + panels, columns: 3)
  }
}
