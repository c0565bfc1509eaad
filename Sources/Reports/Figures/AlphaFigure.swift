import Support

/// Performance over the merge coefficient on one test set, a panel for each method, and how wide each curve's best
/// range is (the paper's Figures 7 and 17 to 22).
struct AlphaFigure: Figure {
  let analysis: Analysis
  let curves: AlphaCurves

  static func figures(of analysis: Analysis) -> [AlphaFigure] {
    analysis.alphaCurves.map { AlphaFigure(analysis: analysis, curves: $0) }
  }

  private var measure: Measure { curves.measure }
  private var points: [Estimate] { curves.curves.flatMap(\.points).map(\.value) }
  /// A single setting has nothing to be compared with.
  private var hasWidths: Bool { curves.series.count > 1 }

  var name: String { "\(measure.rawValue)-over-alpha" + (curves.evaluation.map { "-" + fileName($0) } ?? "") }

  var title: String {
    "Test \(measure.rawValue)\(curves.evaluation.map { " on \($0)" } ?? "") against the merge coefficient"
  }

  var caption: String {
    let hasBase = curves.curves.contains { $0.points.first?.alpha == 0 }
    return "Test \(measure.rawValue) of merges against the merge coefficient: mean over pairs at "
      + "\(analysis.selection.checkpoints.words) (\(lettered(curves.methods.map(methodTitle))))"
      + (hasBase ? ". The point at 0 is the base, where task vectors start" : "")
      + (hasWidths
        ? ". \(Spec.letter(curves.methods.count)): width of the range of coefficients around the best in which a curve "
          + "stays within \(curves.tolerance) of its best; open points: the range reaches the end of what was tried"
        : "")
      + ". \(analysis.subjectText)." + intervalWords(points, cutOff)
      + (hasWidths ? intervalWords(curves.curves.map(\.width), mark: "Bars of widths") : "")
  }

  var table: Table {
    Table(
      columns: ["method", "series", "alpha", "value", "lower", "upper", "runs", "interval", "single", "width"],
      rows: curves.curves.flatMap { curve in
        curve.points.map { point in
          [.text(curve.method), .text(curve.series), .number(point.alpha)] + point.value.cells + [
            .text(point.value.interval.rawValue), .number(curve.single), .number(curve.width.value),
          ]
        }
      })
  }

  var spec: Spec {
    let methods = curves.methods
    let domain = estimatesDomain(points, possible: measure == .accuracy ? 0...100 : 0 ... .infinity)
    let panels = methods.enumerated().map { index, method in
      let alpha = alpha(of: method)
      let coefficient = alpha.meaning == .position ? "\(alpha.symbol) (share of the second network)" : alpha.symbol
      return CoefficientPanel(
        title: methodTitle(method), coefficient: coefficient, symbol: alpha.symbol,
        points: curves.curves.filter { $0.method == method }.flatMap { curve in
          curve.points.map { .init(series: curve.series, alpha: $0.alpha, value: $0.value) }
        },
        series: curves.series, seriesTitle: curves.quantity, valueTitle: measure.levelTitle, domain: domain,
        isReversed: measure.sign < 0, isFirst: index == 0, isLast: index == methods.count - 1
      ).panel
    }
    return Spec(panels: panels + (hasWidths ? [widths] : []), columns: methods.count > 3 ? 3 : 4)
  }

  private var widths: Panel {
    let methods = curves.methods
    let rows = curves.curves.map { curve -> JSON in
      [
        "setting": .text(curve.series), "series": .text(methodTitle(curve.method)),
        "width": .number(curve.width.value), "lower": .number(curve.width.lower.map { max(0, $0) }),
        "upper": .number(curve.width.upper), "end": .truth(curve.reachesEnd),
      ]
    }
    let domain = estimatesDomain(curves.curves.map(\.width), including: [0])
    let names = curves.series
    var channels = Palette.encoding(methods.map(methodTitle), title: "")
    // Side by side, so that methods' bars do not hide one another.
    if methods.count > 1 { channels["xOffset"] = ["field": "series", "scale": ["paddingOuter": 0.6]] }
    let marks = Marks(
      x: Channel.words(
        "setting", curves.quantity, names, scale: Channel.bands, axis: Channel.labels(names, most: 34, limit: 110)),
      y: Channel.numbers(
        "width", "width within \(curves.tolerance) of the best",
        ["domain": [0, .number(domain[1])], "nice": false]),
      channels)
    return Panel(
      "flatness", width: 230, height: 250, rows: rows,
      layers: [
        marks.intervals(["strokeWidth": 1.4, "clip": true]),
        marks.line(["strokeWidth": 1.4, "opacity": 0.6]),
        marks.points(60, ["opacity": 1]).merging(["transform": [["filter": "!datum.end"]]]),
        marks.points(60, ["filled": false, "strokeWidth": 2, "opacity": 1])
          .merging(["transform": [["filter": "datum.end"]]]),
      ])
  }
}
