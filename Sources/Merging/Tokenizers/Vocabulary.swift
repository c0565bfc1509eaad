import Checkpoints
import Foundation
import Support

/// A model's tokens and their numbers: its `tokenizer.json`, as the tokenizers library writes it.
struct Vocabulary: Sendable {
  typealias Token = [UInt8]

  /// The model's folder.
  let folder: String
  /// In the order of their numbers.
  private(set) var tokens: [(token: Token, id: Int)]
  private(set) var ids: [Token: Int]
  /// The whole file.
  private(set) var document: JSON

  /// How many rows an embedding of it needs.
  var size: Int { (tokens.last?.id ?? -1) + 1 }

  /// Reads a folder's tokenizer; nil where it has none.
  ///
  /// - Throws: `FileError` where it is damaged.
  init?(folder: String) throws {
    let path = folder + "/tokenizer.json"
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let document = try JSON(file: path)
    var ids: [Token: Int] = [:]
    func add(_ token: Token?, _ id: Int?) throws {
      // Numbers become rows, of which there are not that many anywhere.
      guard let token, let id, (0..<1 << 24).contains(id) else {
        throw FileError(path, "has a token without a text or a number within 0 … \(1 << 24)")
      }
      ids[token] = id
    }
    switch document["model"]?["vocab"] {
    case .object(let members): for member in members { try add(member.key, member.value.integer) }
    case .array(let pieces): for (id, piece) in pieces.enumerated() { try add(piece.elements?.first?.bytes, id) }
    default: throw FileError(path, "has no vocabulary; expected model.vocab in it")
    }
    for entry in document["added_tokens"]?.elements ?? [] { try add(entry["content"]?.bytes, entry["id"]?.integer) }
    self.init(folder: folder, ids: ids, document: document)
  }

  private init(folder: String, ids: [Token: Int], document: JSON) {
    (self.folder, self.ids, self.document) = (folder, ids, document)
    tokens = ids.map { ($0.key, $0.value) }.sorted {
      $0.id != $1.id ? $0.id < $1.id : $0.token.lexicographicallyPrecedes($1.token)
    }
  }

  private var kind: String { document["model"]?["type"]?.string ?? "BPE" }

  /// The tokens of this one under their numbers, then those that only the others have, in their order; with the rules
  /// (merges of a byte-pair encoding) that lead to the new ones.
  ///
  /// - Throws: `MergeError` where they are of different kinds.
  func union(_ others: [Vocabulary]) throws -> Vocabulary {
    var (ids, document, next) = (ids, document, size)
    var added = document["added_tokens"]?.elements ?? []
    var vocabulary = document["model"]?["vocab"]?.members
    var merges = document["model"]?["merges"]?.elements ?? []
    let isPaired = merges.first?.elements != nil
    var known = Set(merges.map { Self.pair($0, isPaired).data(lines: 0) })
    for other in others where other.ids != ids {
      guard other.kind == kind else {
        throw MergeError(
          "\(folder) has a tokenizer of type \(kind) and \(other.folder) one of type \(other.kind), which have no "
            + "union; "
            + "choose base or one of the models as the tokenizer's source")
      }
      var entries: [Token: JSON] = [:]
      for entry in other.document["added_tokens"]?.elements ?? [] {
        if let token = entry["content"]?.bytes { entries[token] = entry }
      }
      for (token, _) in other.tokens where ids[token] == nil {
        ids[token] = next
        if var entry = entries[token] {
          entry["id"] = .number(next)
          added.append(entry)
        } else if vocabulary != nil {
          vocabulary?.append(JSON.Member(key: token, value: .number(next)))
        } else {
          // A list's pieces are numbered by their places, which the added tokens have taken.
          added.append(Self.entry(token, next))
        }
        next += 1
      }
      for merge in other.document["model"]?["merges"]?.elements ?? [] {
        let merge = Self.pair(merge, isPaired)
        if known.insert(merge.data(lines: 0)).inserted { merges.append(merge) }
      }
    }
    var model = document["model"] ?? .object([])
    if let vocabulary { model["vocab"] = .object(vocabulary) }
    if !merges.isEmpty { model["merges"] = .array(merges) }
    document["model"] = model
    if !added.isEmpty { document["added_tokens"] = .array(added) }
    return Vocabulary(folder: folder, ids: ids, document: document)
  }

  /// A merge as a list of two or, as older files have it, as one text.
  private static func pair(_ merge: JSON, _ isPaired: Bool) -> JSON {
    if isPaired, let text = merge.bytes {
      return .array(text.split(separator: UInt8(ascii: " ")).map { .text(Array($0)) })
    }
    if !isPaired, let parts = merge.elements {
      return .text(Array(parts.compactMap(\.bytes).joined(separator: [UInt8(ascii: " ")])))
    }
    return merge
  }

  private static func entry(_ token: Token, _ id: Int) -> JSON {
    let flags = ["single_word", "lstrip", "rstrip", "normalized", "special"]
    return .object(
      [("id", .number(id)), ("content", .text(token))].map { JSON.Member(key: Array($0.utf8), value: $1) }
        + flags.map { JSON.Member(key: Array($0.utf8), value: .word("false")) })
  }

  /// The folder's `tokenizer_config.json` with the tokens that were added; nil where it has none.
  ///
  /// - Throws: `FileError` where it is no JSON.
  func configuration() throws -> JSON? {
    let path = folder + "/tokenizer_config.json"
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    var configuration = try JSON(file: path)
    guard var listed = configuration["added_tokens_decoder"] else { return configuration }
    for var entry in document["added_tokens"]?.elements ?? [] {
      guard let id = entry["id"]?.integer, listed["\(id)"] == nil else { continue }
      entry["id"] = nil
      listed["\(id)"] = entry
    }
    configuration["added_tokens_decoder"] = listed
    return configuration
  }
}
