import ArgumentParser
import Checkpoints
import Datasets
import Foundation
import Support

/// `valley tokenizer`: make a tokenizer, and see what it does.
struct TokenizerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer", abstract: "Train a byte-level BPE tokenizer, encode, decode, describe.",
    discussion: """
      A tokenizer is a tokenizer.json as the `tokenizers` package reads and writes it (GPT-2's kind), or `bytes`: every byte is a token.

      EXAMPLES
        valley tokenizer train stories.txt --vocabulary 4096 -o tokenizer.json
        valley tokenizer info tokenizer.json --text stories.txt
        valley tokenizer encode tokenizer.json "Once upon a time"
        valley tokenizer encode tokenizer.json --file stories.txt > ids.txt
        valley tokenizer decode tokenizer.json 713 402 91
      """,
    subcommands: [Train.self, Encode.self, Decode.self, Info.self])

  struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Learn a byte-level BPE vocabulary from files of text.",
      discussion: """
        The result has the vocabulary and merges that the `tokenizers` package's BpeTrainer learns from the same texts, divided at the
        special tokens.
        """)

    @Argument(help: "Files of plain text.", completion: .file()) var files: [String]
    @Option(help: "Tokens to have: special ones, 256 bytes, and what is learned.") var vocabulary = 4096
    @Option(help: ArgumentHelp("A token that stands for itself; may be repeated. '' for none.", valueName: "text"))
    var special: [String] = [Tokenizer.endOfText]
    @Option(help: "Learn no pair that is rarer than this.") var minimumFrequency = 2
    @Option(name: .shortAndLong, help: "The file to write.") var output: String
    @Flag(help: "Replace the file if it exists.") var force = false
    @Flag(help: "Print JSON.") var json = false

    struct Row: Encodable {
      var file: String
      var vocabulary, merges: Int
    }

    func run() throws {
      // What was trained with the old one would read the wrong tokens.
      guard force || !FileManager.default.fileExists(atPath: output) else {
        throw CommandError("\(output) exists; add --force to replace it")
      }
      var trainer = try TokenizerTrainer(
        vocabularySize: vocabulary, minimumFrequency: minimumFrequency, specialTokens: special.filter { !$0.isEmpty })
      for file in files {
        let text = try textFile(file)
        if !isText(text) {
          Terminal.writeError("\(file) is no UTF-8 text; what is learned from it are patterns of its bytes\n")
        }
        text.withUnsafeBytes { trainer.count($0.bindMemory(to: UInt8.self)) }
      }
      let result = trainer.train()
      try writeAtomically(result.json, to: output)
      if json {
        return try printJSON(Row(file: output, vocabulary: result.vocabulary.count, merges: result.merges.count))
      }
      if result.vocabulary.count < vocabulary {
        Terminal.writeError(
          "the text has pairs for \(result.vocabulary.count) tokens and not \(vocabulary); more text gives more\n")
      }
      print("\(output): \(result.vocabulary.count) tokens, \(result.merges.count) merges")
    }
  }

  struct Encode: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the ids of a text, separated by blanks.")

    @Argument(help: "A tokenizer.json, or `bytes`.") var tokenizer: String
    @Argument(help: "The text.") var text: String?
    @Option(help: "A file of plain text instead.", completion: .file()) var file: String?
    @Flag(help: "Print each id with its text, a line each.") var tokens = false
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
      if (text == nil) == (file == nil) { throw ValidationError("give a text, or --file FILE") }
    }

    func run() throws {
      let tokenizer = try Tokenizer(named: tokenizer)
      let data = try file.map(textFile) ?? Data((text ?? "").utf8)
      let ids = encoded(data, tokenizer)
      if json { return try printJSON(ids) }
      if tokens {
        for id in ids { print("\(id)\t\(String(decoding: tokenizer.bytes(of: id), as: UTF8.self).debugDescription)") }
      } else {
        print(ids.map(String.init).joined(separator: " "))
      }
    }
  }

  struct Decode: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the text of ids.")

    @Argument(help: "A tokenizer.json, or `bytes`.") var tokenizer: String
    @Argument(help: "Ids; none: from standard input.") var ids: [Int] = []

    func run() throws {
      let tokenizer = try Tokenizer(named: tokenizer)
      var ids = ids
      if ids.isEmpty {
        while let line = readLine() {
          ids += try line.split(separator: " ").map { word in
            guard let id = Int(word) else { throw CommandError("'\(word)' is no id; expected whole numbers") }
            return id
          }
        }
      }
      if let wrong = ids.first(where: { tokenizer.bytes(of: $0).isEmpty }) {
        throw CommandError("there is no token \(wrong); ids are 0 … \(tokenizer.vocabularySize - 1)")
      }
      print(tokenizer.decode(ids))
    }
  }

  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Describe a tokenizer and, with --text, how it does on a text.")

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
        print("\(text ?? ""): \(bytes) bytes, \(tokens) tokens, \(String(format: "%.2f", ratio)) bytes a token")
      }
    }
  }
}

private func textFile(_ path: String) throws -> Data {
  do {
    return try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
  } catch {
    throw CommandError("\(path): cannot be read: \(error.localizedDescription)")
  }
}

/// Whether what a file begins with is UTF-8 without NUL.
private func isText(_ data: Data) -> Bool {
  let start = data.prefix(1 << 16)
  guard !start.contains(0) else { return false }
  // A character may be cut where the part ends.
  return (0..<(start.count < data.count ? 4 : 1)).contains {
    String(validating: start.dropLast($0), as: UTF8.self) != nil
  }
}

private func encoded(_ text: Data, _ tokenizer: Tokenizer) -> [Int] {
  var encoder = Tokenizer.Encoder(tokenizer)
  var ids: [Int32] = []
  text.withUnsafeBytes { encoder.encode($0.bindMemory(to: UInt8.self), into: &ids) }
  return ids.map(Int.init)
}
