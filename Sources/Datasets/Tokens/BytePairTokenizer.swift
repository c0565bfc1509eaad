import Foundation

/// GPT-2's byte-level byte-pair encoding: a text is divided into words, each byte of a word is a token, and pairs of
/// tokens merge in the order of their rank.
///
/// The ids are those of the `tokenizers` package with the same `tokenizer.json`. Any bytes can be encoded: those that
/// are not UTF-8 are encoded one by one.
public struct BytePairTokenizer: Sendable {
  /// One more than the largest id, whether or not every id below it has a token.
  public let vocabularySize: Int
  /// The SHA-256 of the file in hexadecimal.
  public let fingerprint: String
  /// Tokens that are found in a text as they are and never divided, in the file's order.
  public let addedTokens: [AddedToken]
  /// The number of pairs that merge.
  public var mergeCount: Int { merges.count }

  /// A token that is found in a text as it is and never divided.
  public struct AddedToken: Sendable, Hashable {
    /// Its id.
    public var id: Int
    /// What it looks like in a text.
    public var text: String
    /// Whether it is one that ordinary text does not contain, such as `<|endoftext|>`.
    public var isSpecial: Bool
    /// Whether it is searched for after those for which this is false.
    var isNormalised: Bool
  }

  let merges: MergeTable
  /// The id of each byte; −1: none.
  let byteIDs: [Int32]
  /// What replaces a byte without an id; nil: it is left out.
  let unknown: (id: Int32, fuses: Bool)?
  /// The id of each token by its bytes, if whole words are looked up before they are divided.
  let wholeWords: [[UInt8]: Int32]
  let splitsWords: Bool
  let addsPrefixSpace: Bool
  /// The bytes of token i are `starts[i] ..< starts[i + 1]` of `bytes`.
  private let bytes: [UInt8]
  private let starts: [Int]
  let matchers: [AddedTokenMatcher]

  init(
    fingerprint: String, addedTokens: [AddedToken], merges: MergeTable, byteIDs: [Int32],
    unknown: (id: Int32, fuses: Bool)?, wholeWords: [[UInt8]: Int32], splitsWords: Bool, addsPrefixSpace: Bool,
    tokens: [Int: [UInt8]]
  ) {
    vocabularySize = (tokens.keys.max() ?? -1) + 1
    self.fingerprint = fingerprint
    self.addedTokens = addedTokens
    self.merges = merges
    self.byteIDs = byteIDs
    self.unknown = unknown
    self.wholeWords = wholeWords
    self.splitsWords = splitsWords
    self.addsPrefixSpace = addsPrefixSpace
    var bytes: [UInt8] = []
    var starts = [0]
    for id in 0..<vocabularySize {
      bytes += tokens[id] ?? []
      starts.append(bytes.count)
    }
    self.bytes = bytes
    self.starts = starts
    matchers = [false, true].map { isNormalised in
      AddedTokenMatcher(addedTokens.filter { $0.isNormalised == isNormalised })
    }.filter { !$0.isEmpty }
  }

  /// The bytes that an id stands for; none for an id without a token.
  public func bytes(of id: Int) -> ArraySlice<UInt8> {
    (0..<vocabularySize).contains(id) ? bytes[starts[id]..<starts[id + 1]] : []
  }

  /// The text that `ids` stand for, with U+FFFD for bytes that are not UTF-8. Ids without a token are left out.
  public func decode(_ ids: some Sequence<Int>) -> String {
    String(decoding: ids.flatMap { bytes(of: $0) }, as: UTF8.self)
  }
}

/// Finds added tokens in a text: the leftmost one, and if several start there, the longest.
struct AddedTokenMatcher: Sendable {
  /// The longest first.
  private let tokens: [(bytes: [UInt8], id: Int32)]
  private let isFirst: [Bool]

  var isEmpty: Bool { tokens.isEmpty }

  init(_ added: [BytePairTokenizer.AddedToken]) {
    self.init(added.map { (Array($0.text.utf8), Int32($0.id)) })
  }

  init(_ added: [(bytes: [UInt8], id: Int32)]) {
    tokens = added.filter { !$0.bytes.isEmpty }.sorted { $0.bytes.count > $1.bytes.count }
    var isFirst = [Bool](repeating: false, count: 256)
    for token in tokens { isFirst[Int(token.bytes[0])] = true }
    self.isFirst = isFirst
  }

  /// The first token in `text` at or after `start`.
  func next(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> (range: Range<Int>, id: Int32)? {
    isFirst.withUnsafeBufferPointer { isFirst in
      for place in start..<max(start, text.count) where isFirst[Int(text[place])] {
        for token in tokens where token.bytes.count <= text.count - place {
          if text[place..<(place + token.bytes.count)].elementsEqual(token.bytes) {
            return (place..<(place + token.bytes.count), token.id)
          }
        }
      }
      return nil
    }
  }
}

extension BytePairTokenizer {
  /// Encodes one text after the other and remembers the words it has seen. An encoder belongs to one task.
  public struct Encoder {
    /// Whose ids it gives.
    public let tokenizer: BytePairTokenizer
    private var words = WordTable()
    /// The ids of word i are `starts[i] ..< starts[i + 1]` of `ids`.
    private var ids: [Int32] = []
    private var starts = [0]
    /// More words than a language has. Beyond that the text is something else, and remembering does not pay.
    private static let remembered = 1 << 18

    /// An encoder that has seen no words.
    public init(_ tokenizer: BytePairTokenizer) { self.tokenizer = tokenizer }

    /// Appends the ids of a UTF-8 text to `output`.
    public mutating func encode(_ text: UnsafeBufferPointer<UInt8>, into output: inout [Int32]) {
      segments(text, matcher: 0, into: &output)
    }

    /// The ids of a UTF-8 text.
    public mutating func encode(_ text: some Sequence<UInt8>) -> [Int32] {
      var output: [Int32] = []
      Array(text).withUnsafeBufferPointer { encode($0, into: &output) }
      return output
    }

    /// Divides a text at the added tokens of one matcher, and what is between them at those of the next.
    private mutating func segments(
      _ text: UnsafeBufferPointer<UInt8>, matcher: Int, into output: inout [Int32]
    ) {
      guard !text.isEmpty else { return }
      guard matcher < tokenizer.matchers.count else { return plain(text, into: &output) }
      var start = 0
      while let match = tokenizer.matchers[matcher].next(in: text, from: start) {
        segments(
          UnsafeBufferPointer(rebasing: text[start..<match.range.lowerBound]), matcher: matcher + 1, into: &output)
        output.append(match.id)
        start = match.range.upperBound
      }
      segments(UnsafeBufferPointer(rebasing: text[start...]), matcher: matcher + 1, into: &output)
    }

    /// A text without added tokens.
    private mutating func plain(_ text: UnsafeBufferPointer<UInt8>, into output: inout [Int32]) {
      if tokenizer.addsPrefixSpace, text[0] != UInt8(ascii: " ") {
        let prefixed = [UInt8(ascii: " ")] + text
        return prefixed.withUnsafeBufferPointer { divide($0, into: &output) }
      }
      divide(text, into: &output)
    }

    private mutating func divide(_ text: UnsafeBufferPointer<UInt8>, into output: inout [Int32]) {
      guard tokenizer.splitsWords else { return word(text, into: &output) }
      WordSplitter.forEachWord(in: text) { word(UnsafeBufferPointer(rebasing: text[$0]), into: &output) }
    }

    @inline(__always)
    private mutating func word(_ word: UnsafeBufferPointer<UInt8>, into output: inout [Int32]) {
      // A word of that length is unlikely to come again.
      guard word.count <= 64 else { return newWord(word, remember: false, into: &output) }
      let (index, isNew) = words.index(of: word, limit: Self.remembered)
      guard let index, !isNew else { return newWord(word, remember: index != nil, into: &output) }
      for place in starts[index]..<starts[index + 1] { output.append(ids[place]) }
    }

    @inline(never)
    private mutating func newWord(_ word: UnsafeBufferPointer<UInt8>, remember: Bool, into output: inout [Int32]) {
      let tokens = tokenizer.tokens(of: word)
      output += tokens
      if remember {
        ids += tokens
        starts.append(ids.count)
      }
    }
  }

  /// The ids of a text. For many texts, an ``Encoder`` is faster.
  public func encode(_ text: String) -> [Int] {
    var encoder = Encoder(self)
    return encoder.encode(text.utf8).map(Int.init)
  }

  /// The tokens of one word after all merges.
  fileprivate func tokens(of word: UnsafeBufferPointer<UInt8>) -> [Int32] {
    if !wholeWords.isEmpty, let id = wholeWords[Array(word)] { return [id] }
    var tokens: [Int32] = []
    tokens.reserveCapacity(word.count)
    var isAfterUnknown = false
    for byte in word {
      let id = byteIDs[Int(byte)]
      if id >= 0 {
        tokens.append(id)
      } else if let unknown, !(unknown.fuses && isAfterUnknown) {
        tokens.append(unknown.id)
      }
      isAfterUnknown = id < 0
    }
    merges.apply(to: &tokens)
    return tokens
  }
}
