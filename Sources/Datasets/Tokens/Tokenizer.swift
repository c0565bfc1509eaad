import Foundation

/// How a text becomes numbers, and numbers a text.
public enum Tokenizer: Sendable {
  /// Every byte is a token, whose id is its value; `<|endoftext|>` is 256.
  case bytes
  /// Byte-pair encoding.
  case pairs(BytePairTokenizer)

  /// What separates the texts in a file that holds many.
  public static let endOfText = "<|endoftext|>"

  /// The tokenizer called `bytes`, or the one in a `tokenizer.json`, whose path is given.
  ///
  /// - Throws: `DatasetError` when the file cannot be read, or asks for what Valley does not do.
  public init(named name: String) throws {
    if name == "bytes" {
      self = .bytes
    } else {
      self = .pairs(try BytePairTokenizer(contentsOf: URL(fileURLWithPath: (name as NSString).expandingTildeInPath)))
    }
  }

  /// Every id is below this.
  public var vocabularySize: Int {
    switch self {
    case .bytes: 257
    case .pairs(let tokenizer): tokenizer.vocabularySize
    }
  }

  /// A text that two tokenizers share only if they give the same ids.
  public var fingerprint: String {
    switch self {
    case .bytes: "bytes"
    case .pairs(let tokenizer): tokenizer.fingerprint
    }
  }

  /// The ids of a text. For many texts, an ``Encoder`` is faster.
  public func encode(_ text: String) -> [Int] {
    var encoder = Encoder(self)
    var ids: [Int32] = []
    Array(text.utf8).withUnsafeBufferPointer { encoder.encode($0, into: &ids) }
    return ids.map(Int.init)
  }

  /// The text that `ids` stand for, with U+FFFD for bytes that are not UTF-8. Ids without a token are left out.
  public func decode(_ ids: some Sequence<Int>) -> String {
    String(decoding: ids.flatMap { bytes(of: $0) }, as: UTF8.self)
  }

  /// The bytes that an id stands for; none for an id without a token.
  public func bytes(of id: Int) -> ArraySlice<UInt8> {
    switch self {
    case .bytes: id == 256 ? ArraySlice(Self.endOfText.utf8) : UInt8(exactly: id).map { [$0] } ?? []
    case .pairs(let tokenizer): tokenizer.bytes(of: id)
    }
  }

  /// Whether a text can be divided before a line feed and its parts encoded separately, with the same result.
  var dividesAtLines: Bool {
    switch self {
    case .bytes: true
    case .pairs(let tokenizer):
      tokenizer.splitsWords && !tokenizer.addsPrefixSpace && !tokenizer.addedTokens.contains { $0.text.contains("\n") }
    }
  }

  /// Encodes one text after the other and remembers the words it has seen. An encoder belongs to one task.
  public struct Encoder {
    private static let separator = AddedTokenMatcher([(Array(endOfText.utf8), 256)])
    private var pairs: BytePairTokenizer.Encoder?

    /// An encoder that has seen no words.
    public init(_ tokenizer: Tokenizer) {
      if case .pairs(let tokenizer) = tokenizer { pairs = BytePairTokenizer.Encoder(tokenizer) }
    }

    /// Appends the ids of a UTF-8 text to `output`.
    public mutating func encode(_ text: UnsafeBufferPointer<UInt8>, into output: inout [Int32]) {
      guard pairs == nil else {
        pairs?.encode(text, into: &output)
        return
      }
      var start = 0
      while start < text.count {
        let match = Self.separator.next(in: text, from: start)
        for byte in text[start..<(match?.range.lowerBound ?? text.count)] { output.append(Int32(byte)) }
        if let match { output.append(match.id) }
        start = match?.range.upperBound ?? text.count
      }
    }
  }
}
