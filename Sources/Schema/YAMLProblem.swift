import Yams

/// One thing wrong with a YAML file.
public struct YAMLProblem: Error, Hashable, Sendable {
  package let place: YAMLNode.Place
  /// Where it stands in the file, counted from 1; 0 for a value given beside the file.
  public var line: Int { place.line }
  /// The column in that line, counted from 1; 0 for a value given beside the file.
  public var column: Int { place.column }
  /// Dotted, such as `optimizer.learning_rate`; empty for the file as a whole.
  public let keyPath: String
  /// What was found, what was expected, and how to mend it.
  public let message: String

  package init(place: YAMLNode.Place, keyPath: String, message: String) {
    self.place = place
    self.keyPath = keyPath
    self.message = message
  }

  init(_ error: YamlError) {
    func problem(_ message: String, _ mark: Mark?) -> YAMLProblem {
      let place = YAMLNode.Place(line: mark?.line ?? 1, column: mark?.column ?? 1)
      return YAMLProblem(place: place, keyPath: "", message: "this is not YAML: \(message)")
    }
    switch error {
    case .scanner(let context, let text, let mark, _), .parser(let context, let text, let mark, _),
      .composer(let context, let text, let mark, _):
      self = problem((context.map { "\($0.text) (line \($0.mark.line)), " } ?? "") + text, mark)
    case .duplicatedKeysInMapping(let keys, let context):
      let place = YAMLNode.Place(line: context.mark.line, column: context.mark.column)
      self.init(
        place: place, keyPath: keys.first ?? "",
        message: "is given more than once in the same mapping; keep one of them")
    case .reader(let text, _, let value, _):
      self = problem("\(text) (character \(value))", nil)
    default:
      self = problem("\(error)", nil)
    }
  }
}
