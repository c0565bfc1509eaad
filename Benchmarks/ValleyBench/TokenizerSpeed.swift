import ArgumentParser
import Datasets
import Foundation

/// Encoding a text on one thread, from bytes in memory to ids in memory.
struct TokenizerSpeed: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer", abstract: "Encode a text with a tokenizer.json.")

  @OptionGroup var options: RepetitionOptions

  @Option(help: "A tokenizer.json.") var tokenizer: String
  @Option(help: "A file of plain text.") var text: String

  func run() throws {
    let tokenizer = try Tokenizer(named: tokenizer)
    let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: text)))
    var count = 0
    var timing = try Timing.measure("tokenizer", options) {
      var encoder = Tokenizer.Encoder(tokenizer)
      var ids: [Int32] = []
      bytes.withUnsafeBufferPointer { encoder.encode($0, into: &ids) }
      count = ids.count
    }
    timing.bytes = bytes.count
    timing.tokens = count
    try timing.report()
  }
}
