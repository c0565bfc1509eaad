import ArgumentParser
import Datasets
import Foundation
import Support

/// `valley tokenizer info`
struct TokenizerInfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Describe a tokenizer and, with --text, how it does on a text.")

  @Argument(help: "A tokenizer.json, or `bytes`.") var tokenizer: String
  @Option(help: "A file of plain text.", completion: .file()) var text: String?
  @Flag(help: "Print JSON.") var json = false

  struct Row: Encodable {
    var tokenizer, kind: String
    var vocabulary: Int
    var merges: Int?
    var addedTokens: [String]
    var bytes, tokens: Int?
    var bytesPerToken: Double?
  }

  func run() throws {
    let found = try Tokenizer(named: tokenizer)
    var row = Row(
      tokenizer: tokenizer, kind: "bytes", vocabulary: found.vocabularySize, addedTokens: [Tokenizer.endOfText])
    if case .pairs(let pairs) = found {
      row.kind = "byte-level BPE"
      row.merges = pairs.mergeCount
      row.addedTokens = pairs.addedTokens.map(\.text)
    }
    if let text {
      let data = try textFile(text)
      let count = encoded(data, found).count
      (row.bytes, row.tokens) = (data.count, count)
      row.bytesPerToken = Double(data.count) / Double(max(1, count))
    }
    if json { return try printJSON(row) }
    let merges = row.merges.map { ", \($0) merges" } ?? ""
    print(
      "\(tokenizer): \(row.kind), \(row.vocabulary) tokens\(merges); added: \(row.addedTokens.joined(separator: " "))"
    )
    if let bytes = row.bytes, let tokens = row.tokens, let ratio = row.bytesPerToken {
      print("\(text ?? ""): \(bytes) bytes, \(tokens) tokens, \(String(format: "%.2f", ratio)) bytes per token")
    }
  }
}
