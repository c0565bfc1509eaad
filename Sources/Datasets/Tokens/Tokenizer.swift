import Foundation

/// How a text becomes numbers.
public enum Tokenizer: Sendable {
  /// Every byte is a token, its value the id; `<|endoftext|>` is 256.
  case bytes
  case pairs(BytePairTokenizer)

  /// What stands between the texts of a file that holds many.
  public static let endOfText = "<|endoftext|>"

  /// `bytes`, or the path of a `tokenizer.json`.
  /// - Throws: `DatasetError`.
  public init(named name: String) throws {
    if name == "bytes" {
      self = .bytes
    } else {
      self = .pairs(try BytePairTokenizer(contentsOf: URL(fileURLWithPath: (name as NSString).expandingTildeInPath)))
    }
  }

  /// Ids are 0 ..< this.
  public var vocabularySize: Int {
    switch self {
    case .bytes: 257
    case .pairs(let tokenizer): tokenizer.vocabularySize
    }
  }

  /// The same for tokenizers that give the same ids.
  public var fingerprint: String {
    switch self {
    case .bytes: "bytes"
    case .pairs(let tokenizer): tokenizer.fingerprint
    }
  }

  public func encode(_ text: String) -> [Int] {
    var encoder = Encoder(self)
    var ids: [Int32] = []
    Array(text.utf8).withUnsafeBufferPointer { encoder.encode($0, into: &ids) }
    return ids.map(Int.init)
  }

  /// What `ids` stand for; where that is no UTF-8, U+FFFD stands in the text. Ids without a token are left out.
  public func decode(_ ids: some Sequence<Int>) -> String {
    String(decoding: ids.flatMap { bytes(of: $0) }, as: UTF8.self)
  }

  /// The bytes an id stands for; none for an id without a token.
  public func bytes(of id: Int) -> ArraySlice<UInt8> {
    switch self {
    case .bytes: id == 256 ? ArraySlice(Self.endOfText.utf8) : UInt8(exactly: id).map { [$0] } ?? []
    case .pairs(let tokenizer): tokenizer.bytes(of: id)
    }
  }

  /// Whether what stands before a line feed and what follows with it are encoded the same apart as together.
  var dividesAtLines: Bool {
    switch self {
    case .bytes: true
    case .pairs(let tokenizer):
      tokenizer.splitsWords && !tokenizer.addsPrefixSpace && !tokenizer.addedTokens.contains { $0.text.contains("\n") }
    }
  }

  /// Encodes one text after the other and remembers the words it has seen. It belongs to one task.
  public struct Encoder {
    private static let separator = AddedTokenMatcher([(Array(endOfText.utf8), 256)])
    private var pairs: BytePairTokenizer.Encoder?

    public init(_ tokenizer: Tokenizer) {
      if case .pairs(let tokenizer) = tokenizer { pairs = BytePairTokenizer.Encoder(tokenizer) }
    }

    /// Appends the ids of a text to `output`.
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
