/// A YAML value with its place in the file. Unlike Yams' node it is small, holds no aliases, and its mapping keys are
/// plain text.
package struct YAMLNode: Hashable, Sendable {
  package enum Content: Hashable, Sendable {
    /// `isPlain`: written without quotes, so that it may be a number, a truth value or null.
    case scalar(String, isPlain: Bool)
    case sequence([YAMLNode])
    case mapping([Entry])
  }

  package struct Entry: Hashable, Sendable {
    /// As written.
    package let name: String
    package let place: Place
    package var value: YAMLNode

    package init(name: String, place: Place, value: YAMLNode) {
      (self.name, self.place, self.value) = (name, place, value)
    }
  }

  /// Line and column, both counted from 1.
  package struct Place: Hashable, Comparable, Sendable {
    package let line: Int
    package let column: Int
    /// The beginning of the file.
    package static let start = Place(line: 1, column: 1)
    /// Not in the file: given beside it, such as on the command line.
    package static let outside = Place(line: 0, column: 0)
    package static func < (a: Place, b: Place) -> Bool { (a.line, a.column) < (b.line, b.column) }
  }

  package var content: Content
  package var place: Place

  package init(content: Content, place: Place) { (self.content, self.place) = (content, place) }

  /// A mapping without keys.
  package static let emptyMapping = YAMLNode(content: .mapping([]), place: .start)

  /// What a mapping holds; nil for anything else.
  package var entries: [Entry]? {
    if case .mapping(let entries) = content { entries } else { nil }
  }

  /// What a list holds; nil for anything else.
  package var elements: [YAMLNode]? {
    if case .sequence(let elements) = content { elements } else { nil }
  }

  /// Whether it is plain text that stands for nothing.
  package var isNull: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
    return text.isEmpty || text == "~" || text.lowercased() == "null"
  }

  /// Whether it is plain `none`, or null.
  package var isNone: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
    return isNull || text.lowercased() == "none"
  }

  /// What plain text means that says yes or no; nil for anything else.
  package var truth: Bool? {
    guard case .scalar(let text, isPlain: true) = content else { return nil }
    switch text.lowercased() {
    case "true", "yes", "on": return true
    case "false", "no", "off": return false
    default: return nil
    }
  }

  /// What messages call it: a list, a mapping, null, or the value itself.
  package var kind: String {
    switch content {
    case .sequence: "a list"
    case .mapping: "a mapping"
    case .scalar(let text, let isPlain):
      isNull ? "null" : isPlain ? text.shortened : "the text \"\(text.shortened)\""
    }
  }
}

extension String {
  /// At most 40 characters on one line.
  package var shortened: String {
    let line = String(map { $0.isNewline ? " " : $0 })
    return line.count > 40 ? line.prefix(39) + "…" : line
  }
}
