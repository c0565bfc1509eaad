/// " Bars: 95 % confidence intervals, Student-t over seeds.", with every kind that occurs, or nothing.
func intervalWords(_ estimates: [Estimate], _ remark: String = "", mark: String = "Bars") -> String {
  let kinds = Set(estimates.filter { $0.lower != nil }.map(\.interval))
  let words = [Estimate.Interval.seeds, .testExamples, .endpoints].filter(kinds.contains).compactMap(\.words)
  return words.isEmpty ? "" : " \(mark): 95 % confidence intervals, \(words.joined(separator: ", "))\(remark)."
}

/// A remark on intervals that may leave the frame.
let cutOff = "; longer ones are cut off at the frame"

/// "a: linear; b: TIES": what the panels of a figure show.
func lettered(_ words: [String]) -> String {
  words.enumerated().map { "\(Spec.letter($0.offset)): \($0.element)" }.joined(separator: "; ")
}
