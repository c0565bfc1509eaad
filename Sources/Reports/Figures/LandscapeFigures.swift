import Foundation
import Studies

/// Figures of what lies around and between endpoints: loss along paths (the paper's Figure 24), where hill turns valley (25), curvature (26),
/// planes (27), re-basin and CKA.
struct LandscapeFigures {
  let analysis: Analysis
  let landscapes: Landscapes

  func figures() -> [Figure] {
    [
      paths("training", \.trainLoss), paths("test", \.testLoss), middles(), spectrum(), similarity(), planes(),
    ].compactMap(\.self)
  }

  private var colors: [String: JSON] {
    Palette.encoding(landscapes.series, title: landscapes.quantity, isOrdered: true)
  }

  // MARK: Paths

  private func paths(_ split: String, _ loss: (LandscapeRow.Path) -> [Double]) -> Figure? {
    let alignments = landscapes.alignments
    guard !alignments.isEmpty else { return nil }
    let curves = alignments.map { alignment in
      landscapes.settings.flatMap { setting in points(setting, alignment, loss) }
    }
    let all = curves.flatMap(\.self)
    let domain = estimatesDomain(all.map(\.value))
    let panels = alignments.enumerated().map { index, alignment in
      CoefficientPanel(
        letter: Figure.letter(index), title: Landscapes.title(alignment),
        coefficient: "λ (part of the second endpoint)",
        symbol: "λ", points: curves[index], series: landscapes.series, seriesTitle: landscapes.quantity,
        valueTitle: "\(split) loss (nats)", domain: domain, isReversed: false, isFirst: index == 0,
        isLast: index == alignments.count - 1
      ).json
    }
    let rows = zip(alignments, curves).flatMap { alignment, points in
      points.map { point -> [JSON] in
        [
          .string(Landscapes.title(alignment)), .string(point.series), .number(point.alpha), .number(point.value.value),
          JSON(point.value.lower), JSON(point.value.upper), .int(point.value.runs),
        ]
      }
    }
    return Figure(
      name: "\(split)-loss-between-endpoints", title: "\(split.capitalized) loss between endpoints",
      caption:
        "Mean cross-entropy on the \(split) set along the straight line θ(λ) = (1 − λ) A + λ B between two endpoints of the last "
        + "branch point, without augmentation; the mean over pairs. \(batchNormText)\(analysis.subjectText)."
        + intervalWords(all.map(\.value), "; cut off at the frame where longer"),
      table: Table(columns: ["alignment", "series", "lambda", "loss_nats", "lower", "upper", "runs"], rows: rows),
      panels: .array(panels), columns: 3)
  }

  private func points(_ setting: Landscapes.Setting, _ alignment: String?, _ loss: (LandscapeRow.Path) -> [Double])
    -> [CoefficientPanel.Point]
  {
    let positions = setting.rows.first?.paths.first { $0.alignment == alignment }?.positions ?? []
    return positions.indices.compactMap { place in
      Estimate(
        samples: setting.rows.map { row in
          row.paths.filter { $0.alignment == alignment && $0.positions.count == positions.count }.map {
            .init(endpoints: $0.endpoints, value: loss($0)[place])
          }
        }
      ).map { .init(series: setting.series, alpha: positions[place], value: $0) }
    }
  }

  private var batchNormText: String {
    let policy = analysis.results.settings.first { $0.key == "merge.batch_norm" }?.value
    return policy == "reestimate" ? "BatchNorm, where there is any, is re-estimated at every point. " : ""
  }

  /// How far the middle lies above the ends, over the settings: of several swept quantities the last is the axis, and the others have
  /// a panel for each split.
  private func middles() -> Figure? {
    let alignments = landscapes.alignments
    guard !alignments.isEmpty, landscapes.settings.count > 1 else { return nil }
    if landscapes.lines.axes.count > 1 { return middlesBySeries() }
    let series = ["training", "test"].flatMap { split in
      alignments.map { $0 == nil ? "\(split) loss" : "\(split) loss \(Landscapes.title($0))" }
    }
    var rows: [[String: JSON]] = []
    var estimates: [Estimate] = []
    for setting in landscapes.settings {
      for (place, name) in series.enumerated() {
        let alignment = alignments[place % alignments.count]
        let loss: (LandscapeRow.Path) -> [Double] = place < alignments.count ? { $0.trainLoss } : { $0.testLoss }
        guard let estimate = landscapes.middles(setting, alignment, loss) else { continue }
        estimates.append(estimate)
        rows.append([
          "setting": .string(setting.series), "series": .string(name), "value": .number(estimate.value),
          "lower": JSON(estimate.lower), "upper": JSON(estimate.upper), "runs": .int(estimate.runs),
        ])
      }
    }
    return bars(
      "hill-or-valley", "Hill or valley between endpoints", series: series, rows: rows, estimates: estimates,
      domain: estimatesDomain(estimates, including: [0]), title: "loss in the middle above the ends (nats)",
      caption: middlesCaption)
  }

  private var middlesCaption: String {
    "Loss in the middle of the straight line between two endpoints less the mean of their losses: above 0 a hill (barrier), below 0 a "
      + "valley; the mean over pairs. \(batchNormText)"
  }

  private func middlesBySeries() -> Figure? {
    let lines = landscapes.lines
    guard let axis = lines.axes.last(where: { $0.quantity == .other }) ?? lines.axes.last else { return nil }
    let others = lines.axes.filter { $0 != axis }
    let (places, series) = (lines.names([axis]), lines.names(others))
    let quantity = others.map(\.title).joined(separator: ", ")
    let kinds = landscapes.alignments.flatMap { alignment in
      [("training", \LandscapeRow.Path.trainLoss), ("test", \.testLoss)].map { (alignment, $0.0, $0.1) }
    }
    var estimates: [Estimate] = []
    var table: [[JSON]] = []
    let data = kinds.map { alignment, split, loss in
      landscapes.settings.compactMap { setting -> JSON? in
        guard let estimate = landscapes.middles(setting, alignment, { $0[keyPath: loss] }) else { return nil }
        let place = JSON.string(lines.name(setting.configuration, [axis]))
        let name = JSON.string(lines.name(setting.configuration, others))
        estimates.append(estimate)
        table.append([
          .string(split), .string(Landscapes.title(alignment)), name, place, .number(estimate.value),
          JSON(estimate.lower), JSON(estimate.upper), .int(estimate.runs),
        ])
        return [
          "series": name, "place": place, "value": .number(estimate.value), "lower": JSON(estimate.lower),
          "upper": JSON(estimate.upper),
        ]
      }
    }
    let domain = estimatesDomain(estimates, including: [0])
    let panels = kinds.enumerated().map { index, kind -> JSON in
      let x: JSON = [
        "field": "place", "type": "ordinal", "sort": JSON(places), "title": .string(axis.title),
        "scale": ["type": "point", "domain": JSON(places), "padding": 0.5], "axis": ["labelAngle": -40],
      ]
      let y: JSON = [
        "field": "value", "type": "quantitative",
        "title": index == 0 ? "loss in the middle above the ends (nats)" : nil,
        "scale": ["domain": JSON(domain), "nice": false, "zero": false], "axis": ["tickCount": 6, "format": ".3~g"],
      ]
      var color = Palette.encoding(series, title: quantity, isOrdered: true)
      if index < kinds.count - 1, series.count > 1 { color["color"] = color["color"]?.merging(["legend": nil]) }
      let title = "\(Figure.letter(index))  \(kind.1) loss" + (kind.0 == nil ? "" : " \(Landscapes.title(kind.0))")
      return [
        "width": 280, "height": 250, "title": ["text": .string(title)], "data": ["values": .array(data[index])],
        "layer": .array([Figure.zeroLine("y")] + layers(x, y, color)),
      ]
    }
    return Figure(
      name: "hill-or-valley", title: "Hill or valley between endpoints",
      caption: middlesCaption + analysis.subjectText + "."
        + intervalWords(estimates, "; cut off at the frame where longer"),
      table: Table(
        columns: ["split", "alignment", "series", "setting", "value_nats", "lower", "upper", "runs"], rows: table),
      panels: .array(panels), columns: 2)
  }

  // MARK: Curvature

  private func spectrum() -> Figure? {
    let count = landscapes.settings.flatMap(\.rows).flatMap(\.spectra).map(\.eigenvalues.count).max() ?? 0
    guard count > 0 else { return nil }
    var rows: [JSON] = []
    var table: [[JSON]] = []
    var estimates: [Estimate] = []
    for setting in landscapes.settings {
      for index in 0..<count {
        let spectra = setting.rows.compactMap(\.spectra.first).filter { $0.eigenvalues.count > index }
        guard let estimate = Estimate(overSeeds: spectra.map { $0.eigenvalues[index] }) else { continue }
        estimates.append(estimate)
        rows.append([
          "series": .string(setting.series), "index": .int(index + 1), "value": .number(estimate.value),
          "lower": JSON(estimate.lower), "upper": JSON(estimate.upper),
        ])
        table.append([
          .string(setting.series), .int(index + 1), .number(estimate.value), JSON(estimate.lower), JSON(estimate.upper),
          .number(spectra.map { $0.residuals.indices.contains(index) ? $0.residuals[index] : .nan }.max() ?? .nan),
          .int(estimate.runs),
        ])
      }
    }
    let domain = estimatesDomain(estimates, including: [0])
    let x: JSON = [
      "field": "index", "type": "ordinal", "title": "eigenvalue, from the largest", "axis": ["labelAngle": 0],
      "scale": ["type": "point", "padding": 0.5],
    ]
    let y: JSON = [
      "field": "value", "type": "quantitative", "title": "eigenvalue of the Hessian",
      "scale": ["domain": JSON(domain), "nice": false, "zero": false], "axis": ["tickCount": 6, "format": ".4~g"],
    ]
    let examples = landscapes.settings.flatMap(\.rows).flatMap(\.spectra).map(\.examples).max() ?? 0
    return Figure(
      name: "hessian-eigenvalues", title: "Largest eigenvalues of the Hessian",
      caption:
        "The \(count) largest eigenvalues of the Hessian of the mean training loss (evaluation mode, \(examples) training examples, no "
        + "augmentation) at the first endpoint of the last branch point, by Lanczos with full reorthogonalisation. \(analysis.subjectText)."
        + intervalWords(estimates, "; cut off at the frame where longer"),
      table: Table(
        columns: ["series", "index", "eigenvalue", "lower", "upper", "largest_residual", "runs"], rows: table),
      view: ["data": ["values": .array(rows)], "layer": .array(layers(x, y, colors))])
  }

  /// Bars of the interval, a line and points.
  private func layers(_ x: JSON, _ y: JSON, _ color: [String: JSON]) -> [JSON] {
    func encoding(_ more: [String: JSON]) -> JSON { .object(color.merging(more) { $1 }) }
    return [
      [
        "transform": [["filter": "isValid(datum.lower)"]],
        "mark": ["type": "rule", "strokeWidth": 1.3, "opacity": 0.55, "clip": true],
        "encoding": encoding(["x": x, "y": y.merging(["field": "lower"]), "y2": ["field": "upper"]]),
      ],
      ["mark": ["type": "line", "strokeWidth": 2, "clip": true], "encoding": encoding(["x": x, "y": y])],
      [
        "mark": ["type": "point", "filled": true, "size": 40, "opacity": 1, "clip": true],
        "encoding": encoding(["x": x, "y": y]),
      ],
    ]
  }

  // MARK: Similarity

  private func similarity() -> Figure? {
    var rows: [[String: JSON]] = []
    var estimates: [Estimate] = []
    for setting in landscapes.settings {
      guard let estimate = landscapes.similarity(setting) else { continue }
      estimates.append(estimate)
      let measure = analysis.measures.first ?? .accuracy
      let gain = Estimate(runs: setting.configuration.gains(measure, analysis.selection))
      rows.append([
        "setting": .string(setting.series), "series": "CKA", "value": .number(estimate.value),
        "lower": JSON(estimate.lower), "upper": JSON(estimate.upper), "runs": .int(estimate.runs),
        "gain": JSON(gain?.value), "gain_lower": JSON(gain?.lower), "gain_upper": JSON(gain?.upper),
      ])
    }
    guard !rows.isEmpty else { return nil }
    let layer = landscapes.settings.flatMap(\.rows).flatMap(\.similarities).first?.layer ?? "penultimate"
    let measure = analysis.measures.first ?? .accuracy
    let axis: JSON = [
      "field": "value", "type": "quantitative", "title": "linear CKA of \(layer)",
      "scale": ["domain": JSON(estimatesDomain(estimates)), "nice": false, "zero": false],
      "axis": ["tickCount": 6, "format": ".3~g"],
    ]
    let setting: JSON = [
      "field": "setting", "type": "ordinal", "sort": JSON(landscapes.series), "title": .string(landscapes.quantity),
      "scale": ["type": "point", "domain": JSON(landscapes.series), "padding": 0.5], "axis": ["labelAngle": 0],
    ]
    let gain: JSON = [
      "field": "gain", "type": "quantitative", "title": .string(measure.axisTitle), "scale": ["zero": false],
      "axis": ["tickCount": 6, "format": ".3~g"],
    ]
    // One colour for each setting in both panels.
    let coloured = rows.map { row -> JSON in .object(row.merging(["series": row["setting"] ?? ""]) { $1 }) }
    let data: JSON = ["values": .array(coloured)]
    func encoding(_ more: [String: JSON], legend: Bool) -> JSON {
      var color = colors
      if landscapes.series.count > 1, !legend { color["color"] = color["color"]?.merging(["legend": nil]) }
      return .object(color.merging(more) { $1 })
    }
    let panels: [JSON] = [
      [
        "width": 260, "height": 250, "title": ["text": "a  by setting"], "data": data,
        "layer": [
          [
            "transform": [["filter": "isValid(datum.lower)"]], "mark": ["type": "rule", "opacity": 0.6, "clip": true],
            "encoding": encoding(
              ["x": setting, "y": axis.merging(["field": "lower"]), "y2": ["field": "upper"]], legend: false),
          ],
          [
            "mark": ["type": "point", "filled": true, "size": 60, "opacity": 1],
            "encoding": encoding(["x": setting, "y": axis], legend: false),
          ],
        ],
      ],
      [
        "width": 260, "height": 250, "title": ["text": "b  against the gain"], "data": data,
        "layer": [
          [
            "transform": [["filter": "isValid(datum.gain_lower)"]], "mark": ["type": "rule", "opacity": 0.5],
            "encoding": encoding(
              ["x": axis, "y": gain.merging(["field": "gain_lower"]), "y2": ["field": "gain_upper"]], legend: false),
          ],
          [
            "mark": ["type": "point", "filled": true, "size": 60, "opacity": 1],
            "encoding": encoding(["x": axis, "y": gain], legend: true),
          ],
        ],
      ],
    ]
    let names = ["setting", "value", "lower", "upper", "runs", "gain", "gain_lower", "gain_upper"]
    return Figure(
      name: "similarity", title: "Similarity of endpoints, noise and gain",
      caption:
        "Linear CKA (unbiased, over minibatches) of the endpoints' activations before the classifier on test examples, the mean over pairs (a), and "
        + "against the gain of their merges (b). \(analysis.subjectText)." + intervalWords(estimates),
      table: Table(
        columns: ["setting", "cka", "lower", "upper", "runs", "gain", "gain_lower", "gain_upper"],
        rows: rows.map { row in names.map { row[$0] ?? .null } }),
      panels: .array(panels), columns: 2)
  }

  // MARK: Planes

  private func planes() -> Figure? {
    let panels = landscapes.settings.compactMap { setting in
      setting.rows.first?.plane.map { plane in
        PlaneFigure.Panel(
          title: landscapes.quantity.isEmpty ? "" : "\(landscapes.quantity) \(setting.series)", plane: plane)
      }
    }
    guard !panels.isEmpty else { return nil }
    return PlaneFigure(
      name: "planes", title: "Test loss on the plane through the trunk and two endpoints",
      panels: Array(panels.prefix(6)), values: [.testLoss],
      setting:
        "The trunk at the last branch point (base) and two endpoints (A, B), for the first seed of each setting. "
        + "\(batchNormText)\(analysis.subjectText)",
      axes: ("distance along A − base", "distance orthogonal to it")
    ).figure()
  }

  /// Values with bars over the settings.
  private func bars(
    _ name: String, _ title: String, series: [String], rows: [[String: JSON]], estimates: [Estimate], domain: [Double],
    title yTitle: String, caption: String
  ) -> Figure {
    let names = landscapes.series
    let x: JSON = [
      "field": "setting", "type": "ordinal", "sort": JSON(names), "title": .string(landscapes.quantity),
      "scale": ["type": "band", "domain": JSON(names), "padding": 0.2],
      "axis": ["labelAngle": names.map(\.count).reduce(0, +) > 48 ? -40 : 0, "labelLimit": 120, "labelOverlap": false],
    ]
    let y: JSON = [
      "field": "value", "type": "quantitative", "title": .string(yTitle),
      "scale": ["domain": JSON(domain), "nice": false, "zero": false], "axis": ["tickCount": 6, "format": ".3~g"],
    ]
    let own = Palette.encoding(series, title: "").merging(["xOffset": ["field": "series", "sort": JSON(series)]]) { $1 }
    let columns = ["setting", "series", "value", "lower", "upper", "runs"]
    return Figure(
      name: name, title: title,
      caption: caption + analysis.subjectText + "." + intervalWords(estimates, "; cut off at the frame where longer"),
      table: Table(
        columns: ["setting", "series", "value_nats", "lower", "upper", "runs"],
        rows: rows.map { row in columns.map { row[$0] ?? .null } }),
      view: [
        "data": ["values": .array(rows.map { .object($0) })],
        "layer": .array([Figure.zeroLine("y")] + layers(x, y, own)),
      ])
  }
}
