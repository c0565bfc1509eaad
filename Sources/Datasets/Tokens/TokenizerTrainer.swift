import Foundation
import HeapModule

/// Learns a byte-level BPE vocabulary (Sennrich et al. 2016). Starting from bytes, the most frequent pair of neighbours
/// within words becomes a token, again and again. Of equally frequent pairs, the one with the smaller ids comes first.
/// The vocabulary and the merges are those of `BpeTrainer` in the `tokenizers` package.
///
/// Special tokens in the text are not counted.
public struct TokenizerTrainer {
  /// The most tokens there will be.
  public let vocabularySize: Int
  /// How often a pair must occur to become a token.
  public let minimumFrequency: Int
  /// Tokens that are never divided, which get the first ids.
  public let specialTokens: [String]
  private let matcher: AddedTokenMatcher
  private var words = WordTable()
  /// How often each word was seen.
  private var frequencies: [Int] = []

  /// A trainer that has counted nothing.
  ///
  /// - Parameters:
  ///   - vocabularySize: the most tokens there will be
  ///   - minimumFrequency: how often a pair must occur to become a token
  ///   - specialTokens: tokens that are never divided, which get the first ids
  /// - Throws: `DatasetError` when the special tokens and the 256 bytes exceed the vocabulary, or a special token is
  ///   empty, given twice or the name of a byte.
  public init(vocabularySize: Int, minimumFrequency: Int = 0, specialTokens: [String] = ["<|endoftext|>"]) throws {
    guard (256 + specialTokens.count...1 << 20).contains(vocabularySize) else {
      throw DatasetError(
        "a vocabulary of \(vocabularySize) cannot be made: 256 bytes and \(specialTokens.count) special tokens belong "
          + "to it",
        remedy: "choose \(256 + specialTokens.count) to \(1 << 20)")
    }
    let names = Set(ByteAlphabet.characters.map { String($0) })
    for (index, token) in specialTokens.enumerated()
    where token.isEmpty || names.contains(token) || specialTokens[..<index].contains(token) {
      throw DatasetError("'\(token)' cannot be a special token: it is empty, given twice or the name of a byte")
    }
    self.vocabularySize = vocabularySize
    self.minimumFrequency = minimumFrequency
    self.specialTokens = specialTokens
    matcher = AddedTokenMatcher(specialTokens.enumerated().map { (Array($1.utf8), Int32($0)) })
  }

  /// Counts the words of a UTF-8 text, in addition to those of earlier ones.
  public mutating func count(_ text: UnsafeBufferPointer<UInt8>) {
    var start = 0
    while start < text.count {
      let match = matcher.next(in: text, from: start)
      let part = UnsafeBufferPointer(rebasing: text[start..<(match?.range.lowerBound ?? text.count)])
      WordSplitter.forEachWord(in: part) { range in
        let found = words.index(of: UnsafeBufferPointer(rebasing: part[range]))
        guard let index = found.index else { return }
        if found.isNew { frequencies.append(1) } else { frequencies[index] += 1 }
      }
      start = match?.range.upperBound ?? text.count
    }
  }

  /// What was learned.
  public struct Result: Sendable {
    /// The tokens by id, as `tokenizer.json` writes them: special tokens, then the bytes in the order of their
    /// characters, then those that merges made.
    public var vocabulary: [String]
    /// The ids of the pairs that merge, in the order in which they do.
    public var merges: [(first: Int, second: Int)]
    /// How many of the first tokens are special.
    public var specialTokens: Int
  }

  /// A pair that could become a token, and the words that had it when it was entered.
  private struct Candidate: Comparable {
    var pair: Pair
    var count: Int
    var words: [Int]
    static func == (a: Candidate, b: Candidate) -> Bool { a.count == b.count && a.pair == b.pair }
    static func < (a: Candidate, b: Candidate) -> Bool {
      a.count != b.count ? a.count < b.count : (b.pair.first, b.pair.second) < (a.pair.first, a.pair.second)
    }
  }

  private struct Pair: Hashable {
    var first, second: Int32
  }

  /// Learns the vocabulary from the words counted so far.
  public func train() -> Result {
    let alphabet = (0..<256).sorted { ByteAlphabet.characters[$0].value < ByteAlphabet.characters[$1].value }
    var vocabulary = specialTokens + alphabet.map { String(ByteAlphabet.characters[$0]) }
    var known = Dictionary(vocabulary.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    var byteIDs = [Int32](repeating: 0, count: 256)
    for (place, byte) in alphabet.enumerated() { byteIDs[byte] = Int32(specialTokens.count + place) }
    var tokens = (0..<words.count).map { words[$0].map { byteIDs[Int($0)] } }
    var counts: [Pair: Int] = [:]
    var places: [Pair: [Int]] = [:]
    func enter(_ pair: Pair, _ word: Int) { if places[pair]?.last != word { places[pair, default: []].append(word) } }
    for (word, ids) in tokens.enumerated() {
      for (first, second) in zip(ids, ids.dropFirst()) {
        counts[Pair(first: first, second: second), default: 0] += frequencies[word]
        enter(Pair(first: first, second: second), word)
      }
    }
    func drain(into queue: inout Heap<Candidate>) {
      for (pair, words) in places {
        if let count = counts[pair], count > 0 { queue.insert(Candidate(pair: pair, count: count, words: words)) }
      }
      places.removeAll(keepingCapacity: true)
    }
    var queue = Heap<Candidate>()
    drain(into: &queue)
    var merges: [(first: Int, second: Int)] = []
    while vocabulary.count < vocabularySize, var top = queue.popMax() {
      // Later merges have changed its count.
      if let count = counts[top.pair], count != top.count {
        top.count = count
        queue.insert(top)
        continue
      }
      guard top.count >= max(1, minimumFrequency) else { break }
      let text = vocabulary[Int(top.pair.first)] + vocabulary[Int(top.pair.second)]
      let id = known[text] ?? vocabulary.count
      if id == vocabulary.count {
        vocabulary.append(text)
        known[text] = id
      }
      merges.append((Int(top.pair.first), Int(top.pair.second)))
      for word in top.words {
        Self.merge(top.pair, into: Int32(id), &tokens[word]) { pair, change in
          counts[pair, default: 0] += change * frequencies[word]
          if change > 0 { enter(pair, word) }
        }
      }
      drain(into: &queue)
    }
    return Result(vocabulary: vocabulary, merges: merges, specialTokens: specialTokens.count)
  }

  /// Replaces a pair in a word, and reports which other pairs came and went.
  private static func merge(_ pair: Pair, into id: Int32, _ tokens: inout [Int32], _ change: (Pair, Int) -> Void) {
    var merged: [Int32] = []
    var place = 0
    while place < tokens.count {
      guard place + 1 < tokens.count, tokens[place] == pair.first, tokens[place + 1] == pair.second else {
        merged.append(tokens[place])
        place += 1
        continue
      }
      if let before = merged.last {
        change(Pair(first: before, second: pair.first), -1)
        change(Pair(first: before, second: id), 1)
      }
      if place + 2 < tokens.count {
        change(Pair(first: pair.second, second: tokens[place + 2]), -1)
        change(Pair(first: id, second: tokens[place + 2]), 1)
      }
      merged.append(id)
      place += 2
    }
    tokens = merged
  }
}

extension TokenizerTrainer.Result {
  /// The contents of a `tokenizer.json`, which Valley and the `tokenizers` package read.
  public var json: Data {
    func quoted(_ text: String) -> String {
      var result = "\""
      for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": result += "\\\(scalar)"
        case _ where scalar.value < 0x20: result += String(format: "\\u%04x", scalar.value)
        default: result.unicodeScalars.append(scalar)
        }
      }
      return result + "\""
    }
    let special = vocabulary.prefix(specialTokens).enumerated().map { id, text in
      """
          {"id": \(id), "content": \(quoted(text)), "single_word": false, "lstrip": false, "rstrip": false,
           "normalized": false, "special": true}
      """
    }
    let entries = vocabulary.enumerated().map { "      \(quoted($1)): \($0)" }
    let pairs = merges.map { "      [\(quoted(vocabulary[$0.first])), \(quoted(vocabulary[$0.second]))]" }
    let byteLevel = #"{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}"#
    return Data(
      """
      {
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [
      \(special.joined(separator: ",\n"))
        ],
        "normalizer": null,
        "pre_tokenizer": \(byteLevel),
        "post_processor": null,
        "decoder": \(byteLevel),
        "model": {
          "type": "BPE",
          "dropout": null,
          "unk_token": null,
          "continuing_subword_prefix": null,
          "end_of_word_suffix": null,
          "fuse_unk": false,
          "byte_fallback": false,
          "ignore_merges": false,
          "vocab": {
      \(entries.joined(separator: ",\n"))
          },
          "merges": [
      \(pairs.joined(separator: ",\n"))
          ]
        }
      }

      """.utf8)
  }
}
