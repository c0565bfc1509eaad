/// How the keys of a kind of file may be spelled.
package struct KeySpelling: Sendable {
  /// The key that each short or foreign spelling stands for; nil: keys are written exactly as declared.
  private let synonyms: [String: String]?

  /// Exactly as declared.
  package static let exact = KeySpelling(synonyms: nil)

  private init(synonyms: [String: String]?) { self.synonyms = synonyms }

  /// `learningRate`, `learning-rate` and every declared synonym, such as `lr`, stand for `learning_rate`.
  package init(_ keys: [KeyDeclaration]) {
    var synonyms: [String: String] = [:]
    func collect(_ keys: [KeyDeclaration]) {
      for key in keys {
        for synonym in key.synonyms { synonyms[synonym] = key.name }
        collect(key.keys)
      }
    }
    collect(keys)
    self.synonyms = synonyms
  }

  /// Whether a key has one spelling only.
  var isExact: Bool { synonyms == nil }

  /// The key that is meant by a word.
  package func normalised(_ word: String) -> String {
    guard let synonyms else { return word }
    var snake = ""
    for character in word {
      if character.isUppercase {
        if let last = snake.last, last != "_" { snake += "_" }
        snake += character.lowercased()
      } else {
        snake.append(character == "-" ? "_" : character)
      }
    }
    return synonyms[snake] ?? snake
  }

  /// The keys that are meant by a dotted path such as `optimizer.lr`.
  package func path(_ dotted: String) -> [String] {
    dotted.split(separator: ".", omittingEmptySubsequences: false).map { normalised(String($0)) }
  }

  /// Short spellings of any of `keys` that a word might be meant for.
  func synonyms(of keys: [String], like word: String) -> [String] {
    (synonyms ?? [:]).filter { $0.key.first == word.first && keys.contains($0.value) }.map(\.key).sorted()
  }
}
