/// Keys as help and documentation list them: mapping by mapping, each described once however often it occurs.
public struct KeyList: Sendable {
  /// The keys of one mapping.
  public struct Section: Sendable, Encodable {
    /// The dotted path at which it occurs first; empty for the outermost.
    public let path: String
    /// What it describes.
    public let meaning: String
    /// In the order in which they are declared.
    public let keys: [KeyDeclaration]
  }

  /// The outermost mapping first.
  public let sections: [Section]
  private let all: [Section]

  /// The keys of an outermost mapping and of all mappings in it.
  package init(_ keys: [KeyDeclaration], meaning: String) {
    var sections: [Section] = []
    func collect(_ keys: [KeyDeclaration], _ path: String, _ meaning: String) {
      sections.append(Section(path: path, meaning: meaning, keys: keys))
      for key in keys where !key.keys.isEmpty {
        collect(key.keys, path.isEmpty ? key.name : "\(path).\(key.name)", key.meaning)
      }
    }
    collect(keys, "", meaning)
    // Of the same mapping at several places the outermost counts.
    func depth(_ section: Section) -> Int { section.path.split(separator: ".").count }
    let described = sections.enumerated().filter { index, section in
      let same = sections.enumerated().filter { $0.element.keys == section.keys }
      return same.min { (depth($0.element), $0.offset) < (depth($1.element), $1.offset) }?.offset == index
    }.map(\.element)
    self.init(described, of: described)
  }

  private init(_ sections: [Section], of all: [Section]) { (self.sections, self.all) = (sections, all) }

  /// Those in a mapping, and single keys, that a dotted path or the end of one names. Empty where it names none.
  package func named(_ path: [String]) -> KeyList {
    let found = all.map { section in
      let place = section.path.split(separator: ".").map(String.init)
      let keys = section.keys.filter { key in
        let full = place + [key.name]
        return full.starts(with: path) || full.suffix(path.count) == path[...]
      }
      return Section(path: section.path, meaning: section.meaning, keys: keys)
    }
    return KeyList(found.filter { !$0.keys.isEmpty }, of: all)
  }

  /// A key in a line, such as `learning_rate (lr) = 0.1: the peak (a number above 0)`.
  ///
  /// - Parameter mark: what goes around names and values, such as a backtick
  public func line(_ key: KeyDeclaration, mark: String = "") -> String {
    let synonyms = key.synonyms.map { mark + $0 + mark }.joined(separator: ", ")
    var text = mark + key.name + mark + (synonyms.isEmpty ? "" : " (\(synonyms))")
    if let usual = key.usual { text += " = \(usual)" }
    text += ": \(key.meaning)"
    var notes = [key.expected]
    if let section = all.first(where: { $0.keys == key.keys }) { notes[0] += ", see \(mark)\(section.path)\(mark)" }
    if let unit = key.unit { notes.append("in \(unit)") }
    if let variant = key.variant { notes.append("with \(variant) only") }
    return text + " (\(notes.joined(separator: "; ")))"
  }

  /// The keys as a part of a page, a heading for each mapping.
  ///
  /// - Parameter title: the heading of the outermost mapping
  public func markdown(title: String) -> String {
    sections.map { section in
      let lines = section.keys.map { "- \(line($0, mark: "`"))\n" }.joined()
      return "### \(section.path.isEmpty ? title : "`\(section.path)`")\n\n\(section.meaning)\n\n\(lines)"
    }.joined(separator: "\n")
  }
}
