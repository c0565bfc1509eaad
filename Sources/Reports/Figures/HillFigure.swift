import Studies
import Support

/// How far the loss midway between endpoints lies above that at the ends, for each setting: where a hill turns into a
/// valley (the paper's Figure 25). If several quantities are swept, the last is the horizontal axis and the others tell
/// lines apart, in a panel for each split.
struct HillFigure: Figure {
  let analysis: Analysis
  let landscapes: Landscapes

  /// One, if paths were measured for more than one setting.
  static func figures(of analysis: Analysis) -> [HillFigure] {
    guard let landscapes = analysis.landscapes, !landscapes.alignments.isEmpty, landscapes.settings.count > 1 else {
      return []
    }
    return [HillFigure(analysis: analysis, landscapes: landscapes)]
  }

  /// What was measured midway along one kind of path, for each setting.
  private struct Kind {
    var split: String
    var alignment: String?
    var values: [Estimate?]

    var name: String { "\(split) loss" + (alignment == nil ? "" : " \(Landscapes.title(alignment))") }
  }

  private func kinds(_ split: String) -> [Kind] {
    landscapes.alignments.map { alignment in
      Kind(
        split: split, alignment: alignment,
        values: landscapes.settings.map { setting in
          landscapes.middles(setting, alignment) { split == "training" ? $0.trainLoss : $0.testLoss }
        })
    }
  }

  private var kinds: [Kind] { kinds("training") + kinds("test") }
  private var estimates: [Estimate] { kinds.flatMap(\.values).compactMap(\.self) }

  /// The swept quantity along the horizontal axis, if several are swept.
  private var axis: Axis? {
    let axes = landscapes.lines.axes
    return axes.count > 1 ? axes.last { $0.quantity == .other } ?? axes.last : nil
  }

  private func names(_ setting: Landscapes.Setting, over axis: Axis) -> (place: String, series: String) {
    let lines = landscapes.lines
    return (
      lines.name(setting.configuration, [axis]),
      lines.name(setting.configuration, lines.axes.filter { $0 != axis })
    )
  }

  let name = "hill-or-valley"
  let title = "Hill or valley between endpoints"

  var caption: String {
    "Loss midway along the straight line between two endpoints minus the mean of their losses: a hill (barrier) above "
      + "0, a valley below; mean over pairs. \(analysis.batchNormText)\(analysis.subjectText)."
      + intervalWords(estimates, cutOff)
  }

  var table: Table {
    guard let axis else {
      return Table(
        columns: ["setting", "series", "value_nats", "lower", "upper", "runs"],
        rows: bySetting.map { [.text($0.setting), .text($0.kind)] + $0.value.cells })
    }
    return Table(
      columns: ["split", "alignment", "series", "setting", "value_nats", "lower", "upper", "runs"],
      rows: byAlignment.flatMap { kind in
        zip(landscapes.settings, kind.values).compactMap { setting, value -> [Table.Cell]? in
          guard let value else { return nil }
          let names = names(setting, over: axis)
          return [.text(kind.split), .text(Landscapes.title(kind.alignment)), .text(names.series), .text(names.place)]
            + value.cells
        }
      })
  }

  var spec: Spec {
    let domain = estimatesDomain(estimates, including: [0])
    return axis.map { panels(over: $0, domain) } ?? bars(domain)
  }

  private func values(_ domain: [Double], hasTitle: Bool) -> JSON {
    Channel.numbers(
      "value", hasTitle ? "loss midway minus loss at the ends (nats)" : nil, Channel.range(domain), format: ".3~g")
  }

  private func layers(_ marks: Marks) -> [JSON] {
    [
      Marks.rule("y"), marks.intervals(["strokeWidth": 1.3, "opacity": 0.55, "clip": true]),
      marks.line(["strokeWidth": 2, "clip": true]), marks.points(40, ["opacity": 1, "clip": true]),
    ]
  }

  // MARK: One swept quantity

  private var bySetting: [(setting: String, kind: String, value: Estimate)] {
    let kinds = kinds
    return landscapes.settings.enumerated().flatMap { index, setting in
      kinds.compactMap { kind in kind.values[index].map { (setting.series, kind.name, $0) } }
    }
  }

  private func bars(_ domain: [Double]) -> Spec {
    let (names, series) = (landscapes.series, kinds.map(\.name))
    let rows = bySetting.map { setting, kind, value in
      JSON(value.fields).merging([
        "setting": .text(setting), "series": .text(kind), "runs": .number(value.runs),
      ])
    }
    var channels = Palette.encoding(series, title: "")
    channels["xOffset"] = ["field": "series", "sort": JSON(series)]
    let marks = Marks(
      x: Channel.words(
        "setting", landscapes.quantity, names, scale: Channel.bands, axis: Channel.labels(names, most: 48, limit: 120)),
      y: values(domain, hasTitle: true), channels)
    return Spec(["data": ["values": JSON(rows)], "layer": JSON(layers(marks))])
  }

  // MARK: Several

  private var byAlignment: [Kind] { zip(kinds("training"), kinds("test")).flatMap { [$0, $1] } }

  private func panels(over axis: Axis, _ domain: [Double]) -> Spec {
    let (lines, kinds) = (landscapes.lines, byAlignment)
    let others = lines.axes.filter { $0 != axis }
    let x = Channel.words(
      "place", axis.title, lines.names([axis]), scale: Channel.points, axis: ["labelAngle": -40])
    let panels = kinds.enumerated().map { index, kind -> Panel in
      let color = Palette.encoding(
        lines.names(others), title: others.title, isOrdered: true,
        legend: index == kinds.count - 1 ? .usual : .hidden)
      let rows = zip(landscapes.settings, kind.values).compactMap { setting, value -> JSON? in
        let names = names(setting, over: axis)
        return value.map { JSON($0.fields).merging(["series": .text(names.series), "place": .text(names.place)]) }
      }
      return Panel(
        kind.name, width: 280, height: 250, rows: rows,
        layers: layers(Marks(x: x, y: values(domain, hasTitle: index == 0), color)))
    }
    return Spec(panels: panels, columns: 2)
  }
}
