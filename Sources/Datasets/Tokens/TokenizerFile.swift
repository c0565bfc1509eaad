import Foundation
import Support

extension BytePairTokenizer {
  /// Reads a `tokenizer.json` as the `tokenizers` package writes it.
  ///
  /// - Throws: `DatasetError` naming the file and the key when the file is damaged or asks for something other than
  ///   byte-level BPE with GPT-2's words.
  public init(contentsOf file: URL) throws {
    guard let json = try? Data(contentsOf: file), json.count < 1 << 28 else {
      throw DatasetError(
        file: file.path, "cannot be read",
        remedy: "name a tokenizer.json; `valley tokenizer train` makes one of your own text")
    }
    try self.init(json, file: file.path)
  }

  /// Reads the bytes of a `tokenizer.json`. `file` is what messages call it.
  public init(_ json: Data, file: String) throws {
    let content: TokenizerFile
    do {
      content = try JSONDecoder().decode(TokenizerFile.self, from: json)
    } catch {
      throw DatasetError(
        file: file, "is no tokenizer.json: \(Self.text(error))",
        remedy: "expected what the `tokenizers` package or `valley tokenizer train` writes")
    }
    let fingerprint = Digest.sha256(json).hexadecimal
    try self.init(content, fingerprint: fingerprint, file: file)
  }

  private static func text(_ error: any Error) -> String {
    func path(_ context: DecodingError.Context) -> String {
      let keys = context.codingPath.map(\.stringValue).joined(separator: ".")
      return keys.isEmpty ? context.debugDescription : "\(keys): \(context.debugDescription)"
    }
    switch error as? DecodingError {
    case .dataCorrupted(let context), .typeMismatch(_, let context), .valueNotFound(_, let context):
      return path(context)
    case .keyNotFound(let key, let context):
      return (context.codingPath + [key]).map(\.stringValue).joined(separator: ".") + " is missing"
    default: return "\(error)"
    }
  }

  private init(_ content: TokenizerFile, fingerprint: String, file: String) throws {
    func unsupported(_ key: String, _ problem: String) -> DatasetError {
      DatasetError(
        file: file, "\(key): \(problem)", remedy: "Valley reads byte-level BPE with GPT-2's words and nothing around it"
      )
    }
    let model = content.model
    if let type = model.type, type != "BPE" { throw unsupported("model.type", "is \(type); expected BPE") }
    if model.byte_fallback == true { throw unsupported("model.byte_fallback", "is true; expected false") }
    if let dropout = model.dropout, dropout != 0 { throw unsupported("model.dropout", "is \(dropout); expected null") }
    for (key, value) in [
      ("continuing_subword_prefix", model.continuing_subword_prefix), ("end_of_word_suffix", model.end_of_word_suffix),
    ] where !(value ?? "").isEmpty {
      throw unsupported("model.\(key)", "is '\(value ?? "")'; expected null")
    }
    if let normalizer = content.normalizer { throw unsupported("normalizer", "is \(normalizer.type); expected null") }
    if content.truncation != nil { throw unsupported("truncation", "is set; expected null") }
    if content.padding != nil { throw unsupported("padding", "is set; expected null") }
    let steps = content.pre_tokenizer.map { $0.type == "Sequence" ? $0.pretokenizers ?? [] : [$0] } ?? []
    guard let words = steps.first, steps.count == 1, words.type == "ByteLevel" else {
      throw unsupported(
        "pre_tokenizer", "is \(steps.isEmpty ? "null" : steps.map(\.type).joined(separator: " + ")); expected ByteLevel"
      )
    }
    let after = content.post_processor.map { $0.type == "Sequence" ? $0.processors ?? [] : [$0] } ?? []
    for step in after where step.type != "ByteLevel" {
      throw unsupported("post_processor", "is \(step.type), which adds tokens; expected ByteLevel or null")
    }
    let vocabulary = try Vocabulary(content, file: file)
    var merges = MergeTable(capacity: model.merges.count)
    for (rank, merge) in model.merges.enumerated() {
      let ids = [merge.first, merge.second, merge.first + merge.second].map { model.vocab[$0] }
      guard let first = ids[0], let second = ids[1], let merged = ids[2] else {
        let missing = zip(ids, [merge.first, merge.second, merge.first + merge.second]).filter { $0.0 == nil }.map(\.1)
        throw DatasetError(
          file: file,
          "model.merges.\(rank): merges '\(merge.first)' and '\(merge.second)', but model.vocab has no "
            + "'\(missing.first ?? "")'", remedy: "the file is damaged: get it again")
      }
      merges.insert(Int32(first), Int32(second), .init(rank: Int32(rank), id: Int32(merged)))
    }
    var unknown: (id: Int32, fuses: Bool)?
    if let text = model.unk_token, !text.isEmpty {
      guard let id = model.vocab[text] else {
        throw DatasetError(
          file: file, "model.unk_token: is '\(text)', which model.vocab does not have",
          remedy: "add it there, or make it null")
      }
      unknown = (Int32(id), model.fuse_unk ?? false)
    }
    var wholeWords: [[UInt8]: Int32] = [:]
    if model.ignore_merges == true {
      for (text, id) in model.vocab { ByteAlphabet.bytes(text).map { wholeWords[$0] = Int32(id) } }
    }
    self.init(
      fingerprint: fingerprint, addedTokens: vocabulary.added, merges: merges,
      byteIDs: ByteAlphabet.characters.map { Int32(model.vocab[String($0)] ?? -1) }, unknown: unknown,
      wholeWords: wholeWords, splitsWords: words.use_regex ?? true, addsPrefixSpace: words.add_prefix_space ?? true,
      tokens: vocabulary.tokens)
  }

  /// Tokens by id, each checked.
  private struct Vocabulary {
    var tokens: [Int: [UInt8]] = [:]
    var added: [AddedToken] = []

    /// Far above the size of any tokenizer. A damaged id must not lead to a table of gigabytes.
    static let largest = 1 << 22

    init(_ content: TokenizerFile, file: String) throws {
      tokens.reserveCapacity(content.model.vocab.count)
      for (text, id) in content.model.vocab {
        guard (0..<Self.largest).contains(id) else {
          throw DatasetError(
            file: file, "model.vocab: '\(text)' has the id \(id); expected 0 … \(Self.largest - 1)",
            remedy: "the file is damaged: get it again")
        }
        guard tokens.updateValue(ByteAlphabet.bytes(text) ?? Array(text.utf8), forKey: id) == nil else {
          throw DatasetError(
            file: file, "model.vocab: the id \(id) stands for '\(text)' and for another token",
            remedy: "the file is damaged: get it again")
        }
      }
      for token in content.added_tokens ?? [] where !token.content.isEmpty {
        let id = content.model.vocab[token.content] ?? token.id
        for (key, isSet) in [
          ("single_word", token.single_word), ("lstrip", token.lstrip), ("rstrip", token.rstrip),
        ] where isSet == true {
          throw DatasetError(
            file: file, "added_tokens: '\(token.content)' has \(key): true; expected false",
            remedy: "Valley finds added tokens wherever they stand")
        }
        guard (0..<Self.largest).contains(id), content.model.vocab[token.content] != nil || tokens[id] == nil else {
          throw DatasetError(
            file: file, "added_tokens: '\(token.content)' has the id \(id); expected a free one below \(Self.largest)",
            remedy: "the file is damaged: get it again")
        }
        tokens[id] = Array(token.content.utf8)
        added.append(
          AddedToken(
            id: id, text: token.content, isSpecial: token.special ?? false,
            isNormalised: token.normalized ?? !(token.special ?? false)))
      }
      guard !tokens.isEmpty else {
        throw DatasetError(file: file, "model.vocab: is empty", remedy: "the file is damaged: get it again")
      }
    }
  }
}

// The keys are the file's.
// swift-format-ignore: AlwaysUseLowerCamelCase
private struct TokenizerFile: Decodable {
  struct Added: Decodable {
    var id: Int
    var content: String
    var single_word, lstrip, rstrip, normalized, special: Bool?
  }
  struct Step: Decodable {
    var type: String
    var add_prefix_space, use_regex: Bool?
    var pretokenizers: [Step]?
    var processors: [Step]?
  }
  struct Anything: Decodable {
    init(from decoder: any Decoder) throws {}
  }
  struct Model: Decodable {
    var type: String?
    var vocab: [String: Int]
    var merges: [Merge]
    var unk_token, continuing_subword_prefix, end_of_word_suffix: String?
    var dropout: Double?
    var fuse_unk, byte_fallback, ignore_merges: Bool?
  }
  /// `["a", "b"]`, or `"a b"` in older files.
  struct Merge: Decodable {
    var first, second: String

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      let parts: [String]
      if let text = try? container.decode(String.self) {
        parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      } else {
        parts = try container.decode([String].self)
      }
      guard parts.count == 2 else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "is not a pair of tokens")
      }
      (first, second) = (parts[0], parts[1])
    }
  }

  var truncation, padding: Anything?
  var added_tokens: [Added]?
  var normalizer, pre_tokenizer, post_processor: Step?
  var model: Model
}
