import Foundation

/// What a study found, in plain words.
struct Conclusion: Sendable {
  let analysis: Analysis

  /// One sentence: the finding.
  var headline: String {
    if let headline = analysis.tasks?.headline ?? analysis.transfer?.headline { return headline }
    guard let first = analysis.maxima.first, let axis = analysis.testAxis else {
      let words = analysis.axes.map(\.title)
      return words.isEmpty
        ? "Nothing is swept, so there is no curve to judge"
        : "What is swept is not a number (\(words.joined(separator: ", "))), so no maximum is sought between its values"
    }
    let what = axis.isNoise ? "noise" : axis.title
    let level = axis.isNoise ? "level of noise" : axis.title
    let significant = analysis.maxima.filter { $0.verdict == .significant }
    if !significant.isEmpty {
      let names = significant.map { "test \($0.measure.rawValue)" }.joined(separator: " and ")
      return "The gain from merging is largest at an intermediate \(level) (significant in \(names))"
    }
    let testable = analysis.maxima.first { $0.verdict != .noTest } ?? first
    switch testable.verdict {
    case .noTest:
      return "Too few runs to tell whether an intermediate \(level) is best"
    case .bestAtLowEnd: return "No interior maximum: the gain from merging is largest at the lowest \(what) tried"
    case .bestAtHighEnd: return "No interior maximum: the gain from merging is largest at the highest \(what) tried"
    case .notSignificant, .significant:
      return
        "No significant interior maximum: an intermediate \(level) looks best, but chance could explain it"
    }
  }

  /// A paragraph for each measure, and one on what it means.
  var paragraphs: [String] {
    var texts = (analysis.tasks?.sentences ?? []) + (analysis.transfer?.sentences ?? [])
    // If a study was made for another question, it is not worth saying that it allows no test.
    let isAboutMaxima = texts.isEmpty || analysis.maxima.contains { $0.verdict != .noTest }
    if isAboutMaxima {
      texts += analysis.maxima.map { paragraph($0) }
      if let meaning { texts.append(meaning) }
    }
    if analysis.maxima.isEmpty {
      for measure in analysis.measures { texts.append(comparison(measure)) }
    }
    return (analysis.landscapes?.sentences ?? []) + texts + analysis.alphaCurves.flatMap(\.sentences)
  }

  /// The gain of each configuration, or of all runs together if there are many configurations.
  private func comparison(_ measure: Measure) -> String {
    let gains = analysis.configurations.map { ($0.label, $0.gains(measure, analysis.selection)) }
    let shown = gains.count <= 8 ? gains : [("all runs", gains.flatMap(\.1))]
    let texts = shown.compactMap { label, runs in Estimate(runs: runs).map { "\(label): \(text($0, measure))" } }
    return "\(measure.heading) by configuration: \(texts.joined(separator: "; "))."
  }

  private func text(_ estimate: Estimate, _ measure: Measure) -> String {
    guard let lower = estimate.lower, let upper = estimate.upper else { return measure.text(estimate.value) }
    return
      "\(measure.text(estimate.value)) (95 % interval \(measure.text(lower, unit: false)) to "
      + "\(measure.text(upper, unit: false)))"
  }

  private func paragraph(_ test: InteriorMaximum) -> String {
    let (measure, symbol) = (test.measure, analysis.testAxis?.shortName ?? "")
    let name = measure.heading
    guard let best = test.best, let low = test.low, let high = test.high else {
      let known = test.levels.max { measure.sign * $0.gain.value < measure.sign * $1.gain.value }
      let seen =
        known.map {
          " The \(measure.best) value seen is \(text($0.gain, measure)) at "
            + "\(InteriorMaximum.range($0, symbol: symbol))."
        } ?? ""
      return "\(name): no test is possible, because \(test.reason ?? "there are too few runs").\(seen)"
    }
    let place = InteriorMaximum.place(best, symbol: symbol)
    let range = "\(short(low.from, digits: 3)) to \(short(high.to, digits: 3))"
    let ends =
      "against \(text(low.gain, measure)) at the lowest and \(text(high.gain, measure)) at the highest"
    let how =
      "one-sided Welch t tests of the level against both ends, taking the larger p, Bonferroni-corrected over "
      + counted(test.candidates, "interior level")
      + (test.levels.contains { $0.from < $0.to } ? "; neighbouring values of \(symbol) are pooled" : "")
    let p = test.pValue.map { "p \(probability($0))" } ?? "p not defined"
    let interval =
      "Its interval \(test.intervalAboveEnds ? "lies wholly beyond" : "does not lie wholly beyond") the values at "
      + "both ends."
    switch test.verdict {
    case .significant:
      return
        "\(name): an interior \(measure.sign > 0 ? "maximum" : "minimum") is significant, \(p) (\(how)). It is at "
        + "\(place), inside \(range): "
        + "\(text(best.gain, measure)), \(ends). \(interval)"
    case .notSignificant:
      return
        "\(name): the \(measure.best) value lies inside the range, at \(place): \(text(best.gain, measure)), \(ends); "
        + "but this is not significant, \(p) (\(how)). \(interval)"
    case .bestAtLowEnd, .bestAtHighEnd, .noTest:
      let end = test.verdict == .bestAtLowEnd ? low : high
      let side = test.verdict == .bestAtLowEnd ? "lowest" : "highest"
      return
        "\(name): no level inside \(range) is better than both ends. The \(side) level, "
        + "\(InteriorMaximum.range(end, symbol: symbol)), is the better end, with \(text(end.gain, measure)); the "
        + "best inside is \(text(best.gain, measure)) at \(place), \(p) (\(how))."
    }
  }

  /// What the verdicts mean for someone who trains networks.
  private var meaning: String? {
    guard let axis = analysis.testAxis else { return nil }
    let verdicts = Set(analysis.maxima.map(\.verdict))
    let what = axis.isNoise ? "noise (learning rate over batch size)" : axis.title
    if verdicts.contains(.significant) {
      return
        "In words: networks trained with too little or too much \(what) gain less from being merged than those in "
        + "between."
        + (verdicts.count > 1 ? " Only one of the two measures shows this significantly." : "")
    }
    if verdicts.contains(.notSignificant) {
      return
        "In words: the curve rises and falls as expected, but runs with other seeds scatter too much for these "
        + "differences to be relied on. "
        + "More seeds, more endpoints per trunk, or a wider range could settle it."
    }
    if verdicts.contains(.bestAtHighEnd) || verdicts.contains(.bestAtLowEnd) {
      let end = verdicts.contains(.bestAtHighEnd) ? "more" : "less"
      return
        "In words: within the range tried there is no sign of an optimum; if there is one, it takes \(end) \(what) "
        + "than was tried."
    }
    return "In words: to allow a test, repeat each configuration with at least two seeds, ideally three or more."
  }
}
