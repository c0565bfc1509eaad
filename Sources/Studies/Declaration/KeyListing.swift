import Schema
import Support

extension StudyKeys {
  /// A key of a study's file at one place, for other programs.
  public struct Listed: Encodable, Sendable {
    /// Dotted, such as `optimizer.learning_rate`.
    public let key: String
    /// Other spellings of its last part.
    public let synonyms: [String]
    /// What it may be, in words.
    public let expected: String
    /// What a number is counted in.
    public let unit: String?
    /// In words; nil: nothing.
    public let `default`: String?
    public let meaning: String
    /// The name beside which alone it may stand.
    public let onlyWith: String?
    /// Whether a sweep may vary it.
    public let canBeSwept: Bool
  }

  /// The keys that `word` names, mapping by mapping; nil: all. It is a dotted path or the end of one, such as `optimizer` or `lr`.
  ///
  /// - Throws: `UnknownKey`
  public static func list(_ word: String? = nil) throws -> KeyList {
    let list = KeyList(all, meaning: "what a study is, and what every run of it does unless the sweep varies it")
    guard let word else { return list }
    let found = list.named(path(word))
    if found.sections.isEmpty { throw UnknownKey(word) }
    return found
  }

  /// The same one by one, each wherever it occurs.
  ///
  /// - Throws: `UnknownKey`
  public static func listed(_ word: String? = nil) throws -> [Listed] {
    var found: [Listed] = []
    let wanted = word.map(path)
    func collect(_ keys: [KeyDeclaration], _ path: [String]) {
      for key in keys {
        let full = path + [key.name]
        let dotted = full.joined(separator: ".")
        if wanted.map({ full.starts(with: $0) || full.suffix($0.count) == $0[...] }) ?? true {
          found.append(
            Listed(
              key: dotted, synonyms: key.synonyms, expected: key.expected, unit: key.unit, default: key.usual,
              meaning: key.meaning, onlyWith: key.variant, canBeSwept: sweepable.contains(dotted)))
        }
        collect(key.keys, full)
      }
    }
    collect(all, [])
    if found.isEmpty { throw UnknownKey(word ?? "") }
    return found
  }

  /// A word that names no key of a study's file.
  public struct UnknownKey: Error, CustomStringConvertible {
    public let description: String

    init(_ word: String) {
      let names = sections.flatMap { path, keys in keys.flatMap { [$0, path.isEmpty ? $0 : "\(path).\($0)"] } }
      let guess = closest(to: word, in: Set(names).sorted()).map { "; did you mean \($0)?" } ?? ""
      description = "a study has no key \(word)\(guess.isEmpty ? "; `valley study keys` lists them all" : guess)"
    }
  }
}
