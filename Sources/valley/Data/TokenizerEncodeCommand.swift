import ArgumentParser
import Datasets
import Foundation
import Support

/// `valley tokenizer encode`
struct TokenizerEncodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encode", abstract: "Print the ids of a text, separated by spaces.")

  @Argument(help: "A tokenizer.json, or `bytes`.") var tokenizer: String
  @Argument(help: "The text.") var text: String?
  @Option(help: "A file of plain text, instead of a text.", completion: .file()) var file: String?
  @Flag(help: "Print each id with its text, one per line.") var tokens = false
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
