import Foundation
import TestSupport
import Testing

@testable import Datasets

/// What the `tokenizers` package does, written by `Fixtures/tokenizer.py`.
struct TokenizerFixture: Sendable {
  struct Case {
    var name: String
    /// Values that replace the file's own, by dotted path.
    var patch: [String: Any]
    var ids: [[Int]]
    var decoded: [String]?
  }

  static let file = fixtureFolder.appendingPathComponent("tokenizer.json")

  let corpus: String
  let texts: [String]
  /// Runs of letters, numbers and spaces.
  let kinds: [(range: Range<UInt32>, kind: String)]
  private let json: Data

  init() throws {
    json = try Data(contentsOf: fixtureFolder.appendingPathComponent("tokenizer-cases.json"))
    let root = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
    corpus = try #require(root["corpus"] as? String)
    texts = try #require(root["texts"] as? [String])
    kinds = try #require(root["kinds"] as? [[Any]]).map { run in
      let (first, end) = (try #require(run[0] as? Int), try #require(run[1] as? Int))
      return (UInt32(first)..<UInt32(end), try #require(run[2] as? String))
    }
  }

  func cases() throws -> [Case] {
    let root = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
    return try #require(root["cases"] as? [[String: Any]]).map { entry in
      Case(
        name: try #require(entry["name"] as? String), patch: try #require(entry["patch"] as? [String: Any]),
        ids: try #require(entry["ids"] as? [[Int]]), decoded: entry["decoded"] as? [String])
    }
  }

  /// The trained file with some values replaced.
  static func patched(_ patch: [String: Any]) throws -> Data {
    func set(_ object: [String: Any], _ path: ArraySlice<Substring>, _ value: Any) -> [String: Any] {
      var object = object
      guard let key = path.first.map(String.init) else { return object }
      object[key] =
        path.count == 1 ? value : set(object[key] as? [String: Any] ?? [:], path.dropFirst(), value)
      return object
    }
    var root = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    for (path, value) in patch { root = set(root, path.split(separator: ".")[...], value) }
    return try JSONSerialization.data(withJSONObject: root)
  }
}

@Suite struct TokenizerOracleTests {
  @Test func idsAndTextsAreThoseOfTokenizers() throws {
    let fixture = try TokenizerFixture()
    for variant in try fixture.cases() {
      let tokenizer = try BytePairTokenizer(TokenizerFixture.patched(variant.patch), file: variant.name)
      var encoder = BytePairTokenizer.Encoder(tokenizer)
      for (index, text) in fixture.texts.enumerated() {
        let ids = encoder.encode(text.utf8).map(Int.init)
        #expect(ids == variant.ids[index], "\(variant.name): \(text.debugDescription)")
        if let decoded = variant.decoded { #expect(tokenizer.decode(ids) == decoded[index]) }
      }
    }
  }

  /// Older files write a merge as one text.
  @Test func mergesInTheOldFormAreTheSame() throws {
    let root = try JSONSerialization.jsonObject(with: Data(contentsOf: TokenizerFixture.file)) as? [String: Any]
    let merges = try #require((root?["model"] as? [String: Any])?["merges"] as? [[String]])
    let old = try TokenizerFixture.patched(["model.merges": merges.map { $0.joined(separator: " ") }])
    let (tokenizer, new) = try (
      BytePairTokenizer(old, file: "old"), BytePairTokenizer(contentsOf: TokenizerFixture.file)
    )
    #expect(tokenizer.mergeCount == merges.count)
    for text in try TokenizerFixture().texts.prefix(50) { #expect(tokenizer.encode(text) == new.encode(text)) }
  }

  /// Every character of Unicode: those that join with `a`, with `1` or with neither, and those that separate words.
  @Test func lettersNumbersAndBlanksAreThoseOfTokenizers() throws {
    var expected = [String](repeating: "", count: 0x110000)
    for (range, kind) in try TokenizerFixture().kinds { for value in range { expected[Int(value)] = kind } }
    func words(_ text: String) -> Int {
      var count = 0
      Array(text.utf8).withUnsafeBufferPointer { WordSplitter.forEachWord(in: $0) { _ in count += 1 } }
      return count
    }
    var wrong: [String] = []
    for value in 0..<0x110000 {
      // A tenth of the plain ideographs is enough.
      if (0x3400..<0x9FFF).contains(value) || value >= 0x20000, value % 16 != 0, value % 16 != 15 { continue }
      guard let scalar = Unicode.Scalar(UInt32(value)) else { continue }
      let character = String(Character(scalar))
      let found =
        words("a" + character) == 1
        ? "letter" : words("1" + character) == 1 ? "number" : words("!" + character) == 1 ? "" : "space"
      if found != expected[value] { wrong.append("U+\(String(value, radix: 16)) \(found) \(expected[value])") }
    }
    #expect(wrong.isEmpty, "\(wrong.count): \(wrong.prefix(20))")
  }

  @Test func trainingGivesTokenizersVocabularyAndMerges() throws {
    var trainer = try TokenizerTrainer(vocabularySize: 700)
    let corpus = try TokenizerFixture().corpus
    Array(corpus.utf8).withUnsafeBufferPointer { trainer.count($0) }
    let ours = try #require(try JSONSerialization.jsonObject(with: trainer.train().json) as? [String: Any])
    let theirs = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: TokenizerFixture.file)) as? [String: Any])
    for key in ["model", "added_tokens", "pre_tokenizer", "normalizer"] {
      #expect((ours[key] as? NSObject) == (theirs[key] as? NSObject), "\(key)")
    }
  }
}
