import Yams

extension YAMLNode {
  /// Limits that no honest file reaches, and that keep hostile files from using up memory or the stack.
  private enum Limit {
    static let bytes = 1_000_000
    static let aliases = 16
    static let depth = 32
    static let nodes = 100_000
  }

  /// Parses one YAML document; throws the first thing wrong with its form (what is in it is checked later).
  package static func parse(_ text: String) throws(YAMLProblem) -> YAMLNode {
    try checkText(text)
    let root: Node?
    do {
      root = try Yams.Parser(yaml: text).singleRoot()
    } catch let error as YamlError {
      throw YAMLProblem(error)
    } catch {
      throw YAMLProblem(place: .start, keyPath: "", message: "\(error)")
    }
    guard let root else { return emptyMapping }
    var count = 0
    return try convert(root, depth: 0, count: &count)
  }

  /// What has to be known before the parser sees the text: it recurses over nesting and hashes aliased keys.
  private static func checkText(_ text: String) throws(YAMLProblem) {
    guard text.utf8.count <= Limit.bytes else {
      throw YAMLProblem(
        place: .start, keyPath: "", message: "the file has \(text.utf8.count) bytes; it may have at most \(Limit.bytes)"
      )
    }
    var (line, column, depth, aliases) = (1, 1, 0, 0)
    var (inIndent, previous): (Bool, Unicode.Scalar) = (true, "\n")
    var dashes = 0
    for scalar in text.unicodeScalars {
      let place = Place(line: line, column: column)
      switch scalar {
      case "\t" where inIndent:
        throw YAMLProblem(place: place, keyPath: "", message: "a tab in the indentation; YAML wants spaces")
      case "\0":
        throw YAMLProblem(place: place, keyPath: "", message: "a zero byte; this is not a text file")
      case "[", "{": depth += 1
      case "]", "}": depth -= 1
      case "-", "?": dashes += 1
      case "*" where previous == " " || previous == "\n" || "[{,:-?".unicodeScalars.contains(previous): aliases += 1
      default: break
      }
      guard depth <= Limit.depth, dashes <= 4 * Limit.depth else {
        throw YAMLProblem(place: place, keyPath: "", message: "nested more than \(Limit.depth) deep")
      }
      guard aliases <= Limit.aliases else {
        throw YAMLProblem(
          place: place, keyPath: "", message: "more than \(Limit.aliases) aliases (*name); write the values out")
      }
      if scalar == "\n" || scalar == "\r" {
        (line, column, inIndent, dashes) = (scalar == "\n" ? line + 1 : line, 1, true, 0)
      } else {
        column += 1
        if scalar != " " { inIndent = false }
      }
      previous = scalar
    }
    try checkIndentation(text)
  }

  /// Block nesting costs one line and one column more for each level.
  private static func checkIndentation(_ text: String) throws(YAMLProblem) {
    var open: [Int] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let indent = line.prefix { $0 == " " }.count
      guard indent < line.count else { continue }
      while let last = open.last, last >= indent { open.removeLast() }
      open.append(indent)
      guard open.count <= Limit.depth else {
        throw YAMLProblem(
          place: Place(line: index + 1, column: indent + 1), keyPath: "",
          message: "nested more than \(Limit.depth) deep")
      }
    }
  }

  private static func convert(_ node: Node, depth: Int, count: inout Int) throws(YAMLProblem) -> YAMLNode {
    let place = Place(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    count += 1
    guard depth <= 4 * Limit.depth, count <= Limit.nodes else {
      throw YAMLProblem(
        place: place, keyPath: "", message: "has more than \(Limit.nodes) values or is nested too deep")
    }
    switch node {
    case .scalar(let scalar):
      return YAMLNode(content: .scalar(scalar.string, isPlain: scalar.style == .plain), place: place)
    case .sequence(let sequence):
      var elements: [YAMLNode] = []
      for element in sequence { elements.append(try convert(element, depth: depth + 1, count: &count)) }
      return YAMLNode(content: .sequence(elements), place: place)
    case .mapping(let mapping):
      var entries: [Entry] = []
      for (key, value) in mapping {
        let keyPlace = Place(line: key.mark?.line ?? place.line, column: key.mark?.column ?? place.column)
        guard case .scalar(let name) = key else {
          throw YAMLProblem(place: keyPlace, keyPath: "", message: "a list or mapping as a key; expected a name")
        }
        let value = try convert(value, depth: depth + 1, count: &count)
        entries.append(Entry(name: name.string, place: keyPlace, value: value))
      }
      return YAMLNode(content: .mapping(entries), place: place)
    case .alias:
      throw YAMLProblem(place: place, keyPath: "", message: "an alias that names nothing")
    }
  }
}
