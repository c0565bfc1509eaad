import Support

/// Collects what is wrong with a file while it is read, instead of stopping at the first mistake.
package final class SchemaReader {
  /// What was found so far, in the order of reading; no more than a hundred.
  package private(set) var problems: [YAMLProblem] = []
  private var seen: Set<YAMLProblem> = []
  /// How the file's keys may be spelled.
  package let spelling: KeySpelling

  package init(_ spelling: KeySpelling = .exact) { self.spelling = spelling }

  package func report(_ place: YAMLNode.Place, _ keyPath: String, _ message: String) {
    let problem = YAMLProblem(place: place, keyPath: keyPath, message: message)
    // The same value may be read more than once, such as for every run of a sweep.
    if problems.count < 100, seen.insert(problem).inserted { problems.append(problem) }
  }

  /// Reports a value that is not what was expected, and gives nil for it.
  package func refuse<Value>(_ node: YAMLNode, _ keyPath: String, expected: String) -> Value? {
    report(node.place, keyPath, "is \(node.kind); expected \(expected)")
    return nil
  }

  /// Reports a key that is none of `known`, which are what messages list, with the one that was probably meant.
  ///
  /// - Parameter hint: where the key would belong, if not here
  package func refuse(
    _ entry: YAMLNode.Entry, _ keyPath: String, known: [String], hint: String? = nil,
    is what: String = "is not a key here"
  ) {
    let word = spelling.normalised(entry.name)
    let guess = closest(to: word, in: known + spelling.synonyms(of: known, like: word)).map { "did you mean `\($0)`?" }
    report(entry.place, keyPath, "\(what); " + (guess ?? hint ?? "expected one of \(known.joined(separator: ", "))"))
  }
}
