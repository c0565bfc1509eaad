import Foundation

/// Performance over the merge coefficient, a panel for each method, and how wide each curve's best range is (the
/// paper's Figures 7 and 17 to 22).
struct AlphaFigure {
  let analysis: Analysis
  let curves: AlphaCurves

  private var measure: Measure { curves.measure }

  func figure() -> Figure {
    let methods = curves.methods
    let domain = estimatesDomain(
      curves.curves.flatMap(\.points).map(\.value), possible: measure == .accuracy ? 0...100 : 0 ... .infinity)
    var panels = methods.enumerated().map { panel($0.element, index: $0.offset, domain: domain) }
    // One setting has nothing to be compared with.
    let hasWidths = curves.series.count > 1
    if hasWidths { panels.append(widthPanel(index: methods.count)) }
    let bars = intervalWords(
      curves.curves.flatMap(\.points).map(\.value), "; cut off at the frame where longer")
    let widthBars = hasWidths ? intervalWords(curves.curves.map(\.width), mark: "Bars of widths") : ""
    let letters = methods.enumerated().map { "\(Figure.letter($0.offset)): \(methodTitle($0.element))" }
    let hasBase = curves.curves.contains { $0.points.first?.alpha == 0 }
    let level = measure == .accuracy ? "accuracy" : "loss"
    let place = curves.evaluation.map { " on \($0)" } ?? ""
    return Figure(
      name: "\(level)-over-alpha" + (curves.evaluation.map { "-" + fileName($0) } ?? ""),
      title: "Test \(level)\(place) over the merge coefficient",
      caption:
        "Test \(level) of merges over their coefficient, the mean over pairs at \(analysis.selection.checkpoints.words)"
        + " (\(letters.joined(separator: "; ")))"
        + (hasBase ? ". At 0 stands the base, from which task vectors start" : "")
        + (hasWidths
          ? ". \(Figure.letter(methods.count)): width of the range of coefficients around the best in which a curve "
            + "stays within \(curves.tolerance) of its best; open points: the range reaches the end of what was tried"
          : "") + ". \(analysis.subjectText).\(bars)\(widthBars)",
      table: table, panels: .array(panels), columns: methods.count > 3 ? 3 : 4)
  }

  private var table: Table {
    Table(
      columns: ["method", "series", "alpha", "value", "lower", "upper", "runs", "interval", "single", "width"],
      rows: curves.curves.flatMap { curve in
        curve.points.map { point in
          [
            .string(curve.method), .string(curve.series), .number(point.alpha), .number(point.value.value),
            JSON(point.value.lower), JSON(point.value.upper), .int(point.value.runs),
            .string(point.value.interval.rawValue), .number(curve.single), .number(curve.width.value),
          ]
        }
      })
  }

  private func panel(_ method: String, index: Int, domain: [Double]) -> JSON {
    let points = curves.curves.filter { $0.method == method }.flatMap { curve in
      curve.points.map { CoefficientPanel.Point(series: curve.series, alpha: $0.alpha, value: $0.value) }
    }
    let alpha = alpha(of: method)
    let isPart = alpha.meaning == .position && alpha.symbol == "α"
    return CoefficientPanel(
      letter: Figure.letter(index), title: methodTitle(method),
      coefficient: isPart ? "α (part of the second network)" : alpha.symbol,
      symbol: alpha.symbol, points: points,
      series: curves.series, seriesTitle: curves.quantity, valueTitle: measure.levelTitle, domain: domain,
      isReversed: measure.sign < 0, isFirst: index == 0, isLast: index == curves.methods.count - 1
    ).json
  }

  private func widthPanel(index: Int) -> JSON {
    let methods = curves.methods
    let rows = curves.curves.map { curve -> JSON in
      [
        "setting": .string(curve.series), "series": .string(methodTitle(curve.method)),
        "width": .number(curve.width.value), "lower": JSON(curve.width.lower.map { max(0, $0) }),
        "upper": JSON(curve.width.upper), "end": .bool(curve.reachesEnd),
      ]
    }
    let domain = estimatesDomain(curves.curves.map(\.width), including: [0])
    let names = curves.series
    let isLong = names.map(\.count).reduce(0, +) > 34
    let x: JSON = [
      "field": "setting", "type": "ordinal", "sort": JSON(names), "title": .string(curves.quantity),
      "scale": ["type": "band", "domain": JSON(names), "padding": 0.2],
      "axis": ["labelAngle": isLong ? -40 : 0, "labelLimit": 110, "labelOverlap": false],
    ]
    let y: JSON = [
      "field": "width", "type": "quantitative", "title": .string("width within \(curves.tolerance) of the best"),
      "scale": ["domain": [0, .number(domain[1])], "nice": false], "axis": ["tickCount": 6, "format": ".4~g"],
    ]
    let color = Palette.encoding(methods.map(methodTitle), title: "")
    // Methods side by side, lest their bars hide one another.
    var own = color.merging(["x": x]) { $1 }
    if methods.count > 1 { own["xOffset"] = ["field": "series", "scale": ["paddingOuter": 0.6]] }
    func encoding(_ more: [String: JSON]) -> JSON { .object(own.merging(more) { $1 }) }
    return [
      "width": 230, "height": 250, "title": ["text": .string("\(Figure.letter(index))  flatness")],
      "data": ["values": .array(rows)],
      "layer": [
        [
          "transform": [["filter": "isValid(datum.lower)"]],
          "mark": ["type": "rule", "strokeWidth": 1.4, "clip": true],
          "encoding": encoding(["y": y.merging(["field": "lower"]), "y2": ["field": "upper"]]),
        ],
        ["mark": ["type": "line", "strokeWidth": 1.4, "opacity": 0.6], "encoding": encoding(["y": y])],
        [
          "transform": [["filter": "!datum.end"]],
          "mark": ["type": "point", "filled": true, "size": 60, "opacity": 1], "encoding": encoding(["y": y]),
        ],
        [
          "transform": [["filter": "datum.end"]],
          "mark": ["type": "point", "filled": false, "size": 60, "strokeWidth": 2, "opacity": 1],
          "encoding": encoding(["y": y]),
        ],
      ],
    ]
  }
}

/// A text as part of a file's name: letters, digits and hyphens only.
func fileName(_ text: String) -> String {
  let words = text.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
  return words.isEmpty ? "other" : words.joined(separator: "-")
}
