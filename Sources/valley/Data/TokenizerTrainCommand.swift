import ArgumentParser
import Datasets
import Foundation
import Support

/// `valley tokenizer train`
struct TokenizerTrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Learn a byte-level BPE vocabulary from files of text.",
    discussion: """
      The result has the vocabulary and merges that BpeTrainer of the `tokenizers` package learns from the same texts, \
      split at the special tokens.
      """)

  @Argument(help: "Files of plain text.", completion: .file()) var files: [String]
  @Option(help: "How many tokens to have, including special ones and the 256 bytes.") var vocabulary = 4096
  @Option(help: ArgumentHelp("A token that is never split; may be repeated. '' for none.", valueName: "text"))
  var special: [String] = [Tokenizer.endOfText]
  @Option(help: "Learn only pairs that occur at least this often.") var minimumFrequency = 2
  @Option(name: .shortAndLong, help: "The file to write.") var output: String
  @Flag(help: "Replace the file if it exists.") var force = false
  @Flag(help: "Print JSON.") var json = false

  struct Row: Encodable {
    var file: String
    var vocabulary, merges: Int
  }

  func run() throws {
    // What was trained with the old one would read the wrong tokens.
    try requireAbsent(output, unless: force)
    var trainer = try TokenizerTrainer(
      vocabularySize: vocabulary, minimumFrequency: minimumFrequency, specialTokens: special.filter { !$0.isEmpty })
    for file in files {
      let text = try textFile(file)
      if !isText(text) {
        Terminal.writeError("\(file) is not UTF-8 text; the tokens learned from it are patterns of bytes\n")
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
        "the text has pairs for only \(result.vocabulary.count) of \(vocabulary) tokens; more text gives more\n")
    }
    print("\(output): \(result.vocabulary.count) tokens, \(result.merges.count) merges")
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
