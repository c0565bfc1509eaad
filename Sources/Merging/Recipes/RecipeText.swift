import Schema
import Support

/// Writes YAML values as block-style YAML that reads back the same.
struct RecipeText {
  /// Another spelling of a model's path.
  let locate: (String) -> String

  private static let pathKeys = ["model", "base_model", "path"]

  func text(_ node: YAMLNode) -> String { lines(node, isPath: false).joined(separator: "\n") + "\n" }

  private func lines(_ node: YAMLNode, isPath: Bool) -> [String] {
    switch node.content {
    case .scalar(let text, let isPlain):
      if node.isNull { return ["null"] }
      let located = isPath ? locate(text) : text
      let isBare = isPlain && located == text && Self.isBare(text)
      return [isBare ? text : JSON.quoted(located)]
    case .sequence(let elements):
      // Numbers over the layers stay on one line.
      if elements.isEmpty || elements.allSatisfy(\.isScalar) {
        return ["[" + elements.flatMap { lines($0, isPath: false) }.joined(separator: ", ") + "]"]
      }
      return elements.flatMap { element in
        lines(element, isPath: false).enumerated().map { ($0 == 0 ? "- " : "  ") + $1 }
      }
    case .mapping(let entries):
      if entries.isEmpty { return ["{}"] }
      return entries.flatMap { entry -> [String] in
        let inner = lines(entry.value, isPath: Self.pathKeys.contains(entry.name))
        let key = Self.isPlain(entry.name) ? entry.name : JSON.quoted(entry.name)
        let isOneLine = entry.value.isScalar || inner.count == 1 && "[{".contains(inner[0].first ?? " ")
        return isOneLine ? ["\(key): \(inner[0])"] : ["\(key):"] + inner.map { "  " + $0 }
      }
    }
  }

  /// Whether a text means the same without quotes wherever it stands; every number and truth value does.
  private static func isBare(_ text: String) -> Bool {
    text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_.+/".contains($0)) || $0 == "-" }
  }

  private static func isPlain(_ key: String) -> Bool {
    !key.isEmpty && key.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
  }
}

extension YAMLNode {
  fileprivate var isScalar: Bool { if case .scalar = content { true } else { false } }
}
