import Schema
import Support

extension StudyKeys {
  /// The keys that `word` names, mapping by mapping; nil: all. It is a dotted path or the end of one, such as
  /// `optimizer` or `lr`.
  ///
  /// - Throws: `UnknownKey`
  public static func list(_ word: String? = nil) throws -> KeyList {
    let list = KeyList(all, meaning: "what a study is, and what every run of it does unless the sweep varies it")
    guard let word else { return list }
    let found = list.named(path(word))
    if found.sections.isEmpty { throw UnknownKey(word) }
    return found
  }

  /// A word that names no key of a study's file.
  public struct UnknownKey: Error, CustomStringConvertible {
    /// What was asked for, and what was probably meant.
    public let description: String

    fileprivate init(_ word: String) {
      let names = sections.flatMap { path, keys in keys.flatMap { [$0, path.isEmpty ? $0 : "\(path).\($0)"] } }
      let guess = closest(to: word, in: Set(names).sorted()).map { "did you mean \($0)?" }
      description = "a study has no key \(word); \(guess ?? "`valley study keys` lists them all")"
    }
  }
}
