import Checkpoints
import Foundation
import Support

/// A search for the best merge: the best value over evaluations, and what was found along each range.
public struct SearchFigure: Sendable {
  /// An evaluated candidate.
  public struct Candidate: Sendable {
    /// nil where the evaluation failed.
    public var value: Double?
    /// Of each range: a number, or the name of a choice.
    public var values: [String]

    public init(value: Double?, values: [String]) { (self.value, self.values) = (value, values) }
  }

  public enum Metric: String, Sendable { case accuracy, loss }

  /// The ranges' names.
  public var ranges: [String]
  public var candidates: [Candidate]
  public var metric: Metric
  /// What was merged and how it was measured, for the caption.
  public var setting: String

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

  private var title: String { metric == .loss ? "loss, nats" : "accuracy, %" }
  private func drawn(_ value: Double?) -> JSON { JSON(value.map { metric == .loss ? $0 : 100 * $0 }) }

  var table: Table {
    Table(
      columns: ["evaluation", metric == .loss ? "loss_nats" : "accuracy", "best"] + ranges,
      rows: zip(candidates, best).enumerated().map { index, row in
        [.int(index + 1), JSON(row.0.value), JSON(row.1)]
          + row.0.values.map { text in Double(text).map { .number($0) } ?? .string(text) }
      })
  }

  /// From the best to twice as far from it as the median: a merge that collapsed loses by so much that the others could not be told apart.
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

  func figure() -> Figure {
    let rows = zip(candidates, best).enumerated().map { index, row -> JSON in
      var fields: [String: JSON] = [
        "evaluation": .int(index + 1), "value": drawn(row.0.value), "best": drawn(row.1),
      ]
      for (place, text) in row.0.values.enumerated() {
        fields["r\(place)"] = Double(text).map { .number($0) } ?? .string(text)
      }
      return .object(fields)
    }
    let y: JSON = [
      "field": "value", "type": "quantitative", "title": .string(title), "axis": ["tickCount": 6, "format": ".4~g"],
      "scale": ["domain": JSON(domain), "nice": false, "clamp": true],
    ]
    let x: JSON = [
      "field": "evaluation", "type": "quantitative", "title": "evaluations",
      "axis": ["tickMinStep": 1, "tickCount": 6],
      "scale": ["domain": [0, .int(max(1, candidates.count))]],
    ]
    let tooltip = [
      JSON.object(["field": "evaluation"]), ["field": "value", "format": ".5~g", "title": .string(title)],
    ]
    let curve: JSON = [
      "width": 300, "height": 220, "title": ["text": "a  best so far"], "data": ["values": .array(rows)],
      "layer": [
        [
          "mark": ["type": "point", "filled": true, "size": 28, "opacity": 0.55],
          "encoding": [
            "x": x, "y": y, "color": ["value": .string(Palette.okabeIto[0])], "tooltip": .array(tooltip),
          ],
        ],
        [
          "mark": ["type": "line", "interpolate": "step-after", "strokeWidth": 2],
          "encoding": ["x": x, "y": y.merging(["field": "best"]), "color": ["value": .string(Palette.okabeIto[1])]],
        ],
      ],
    ]
    let panels = ranges.prefix(Self.most).enumerated().map { index, name -> JSON in
      let isNumeric = candidates.allSatisfy { Double($0.values[index]) != nil }
      return [
        "width": 300, "height": 220, "title": ["text": .string("\(Figure.letter(index + 1))  \(name)")],
        "data": ["values": .array(rows)], "mark": ["type": "point", "filled": true, "size": 34, "opacity": 0.9],
        "encoding": [
          "x": [
            "field": .string("r\(index)"), "type": isNumeric ? "quantitative" : "nominal", "title": .string(name),
            "axis": isNumeric ? ["tickCount": 5] : ["labelAngle": 0], "scale": isNumeric ? ["zero": false] : [:],
          ],
          "y": y,
          "color": [
            "field": "evaluation", "type": "quantitative", "title": "evaluation", "scale": ["scheme": "viridis"],
            "legend": index == 0 ? [:] : nil,
          ],
          "tooltip": .array(
            tooltip + [
              ["field": .string("r\(index)"), "title": .string(name), "type": isNumeric ? "quantitative" : "nominal"]
            ]),
        ],
      ]
    }
    let failed = candidates.count { $0.value == nil }
    return Figure(
      name: "search", title: "Search for the best merge",
      caption:
        "a: \(title) of every candidate (points) and the best so far (line). From b on: the same over each range. Points "
        + "on the edge lie beyond it. \(setting)."
        + (failed > 0 ? " \(counted(failed, "candidate")) could not be merged or measured." : ""),
      table: table, panels: .array([curve] + panels), columns: 3)
  }

  /// Writes `search.csv`, `.vl.json`, and a picture in each of `formats`. Without a renderer the table is written, and then the error is
  /// thrown.
  /// - Throws: `ReportError`.
  public func write(to folder: URL, formats: Set<FigureFormat> = Set(FigureFormat.allCases)) throws {
    let (figure, renderer) = (figure(), Renderer())
    func put(_ data: Data, _ name: String) throws {
      try writeAtomically(data, to: folder.appendingPathComponent(name).path)
    }
    try put(Data(figure.table.csv().utf8), "search.csv")
    try put(figure.document(.file).data(), "search.vl.json")
    guard renderer.isPresent else {
      throw ReportError.noRenderer(path: renderer.python.path, variable: renderer.isNamed, written: folder.path)
    }
    let output = try renderer.render([figure.name: figure.document(.file)], formats: formats, scratch: folder)
    for (name, picture) in output.pictures { try put(picture, name) }
  }
}
