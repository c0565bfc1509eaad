import Support

/// How alike the endpoints of a study represent examples, by setting and against the gain of their merges.
struct SimilarityFigure: Figure {
  let analysis: Analysis
  let landscapes: Landscapes
  private let points: [(setting: String, similarity: Estimate, gain: Estimate?)]

  /// One where similarity was measured.
  static func figures(of analysis: Analysis) -> [SimilarityFigure] {
    guard let landscapes = analysis.landscapes else { return [] }
    let measure = analysis.measures.first ?? .accuracy
    let points = landscapes.settings.compactMap { setting in
      landscapes.similarity(setting).map {
        (setting.series, $0, Estimate(runs: setting.configuration.gains(measure, analysis.selection)))
      }
    }
    return points.isEmpty ? [] : [SimilarityFigure(analysis: analysis, landscapes: landscapes, points: points)]
  }

  let name = "similarity"
  let title = "Similarity of endpoints, noise and gain"

  var caption: String {
    "Unbiased minibatch linear CKA of the endpoints' activations before the classifier, on test examples: mean over "
      + "pairs (a), and against the gain of their merges (b). \(analysis.subjectText)."
      + intervalWords(points.map(\.similarity))
  }

  var table: Table {
    Table(
      columns: ["setting", "cka", "lower", "upper", "runs", "gain", "gain_lower", "gain_upper"],
      rows: points.map { setting, similarity, gain in
        [.text(setting)] + similarity.cells + [.number(gain?.value), .number(gain?.lower), .number(gain?.upper)]
      })
  }

  var spec: Spec {
    let layer = landscapes.settings.flatMap(\.rows).flatMap(\.similarities).first?.layer ?? "penultimate"
    let rows = points.map { setting, similarity, gain in
      JSON(similarity.fields).merging([
        "setting": .text(setting), "series": .text(setting), "runs": .number(similarity.runs),
        "gain": .number(gain?.value), "gain_lower": .number(gain?.lower), "gain_upper": .number(gain?.upper),
      ])
    }
    let similarity = Channel.numbers(
      "value", "linear CKA of \(layer)", Channel.range(estimatesDomain(points.map(\.similarity))), format: ".3~g")
    let setting = Channel.words(
      "setting", landscapes.quantity, landscapes.series, scale: Channel.points, axis: ["labelAngle": 0])
    let gain = Channel.numbers(
      "gain", (analysis.measures.first ?? .accuracy).axisTitle, ["zero": false], format: ".3~g")
    // One colour for each setting in both panels.
    func color(_ legend: Palette.Legend) -> [String: JSON] {
      Palette.encoding(landscapes.series, title: landscapes.quantity, isOrdered: true, legend: legend)
    }
    let over = Marks(x: setting, y: similarity, color(.hidden))
    let against = Marks(x: similarity, y: gain, color(.hidden))
    return Spec(
      panels: [
        Panel(
          "by setting", width: 260, height: 250, rows: rows,
          layers: [over.intervals(["opacity": 0.6, "clip": true]), over.points(60, ["opacity": 1])]),
        Panel(
          "against the gain", width: 260, height: 250, rows: rows,
          layers: [
            against.intervals(["opacity": 0.5], from: "gain_lower", to: "gain_upper"),
            against.points(60, ["opacity": 1], color(.usual)),
          ]),
      ], columns: 2)
  }
}
