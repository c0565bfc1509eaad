import ArgumentParser
import Datasets

/// `valley tokenizer decode`
struct TokenizerDecodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode", abstract: "Print the text of ids.")

  @Argument(help: "A tokenizer.json, or `bytes`.") var tokenizer: String
  @Argument(help: "Ids; without any they are read from standard input.") var ids: [Int] = []

  func run() throws {
    let tokenizer = try Tokenizer(named: tokenizer)
    var ids = ids
    if ids.isEmpty {
      while let line = readLine() {
        ids += try line.split(separator: " ").map { word in
          guard let id = Int(word) else { throw CommandError("'\(word)' is not an id; expected whole numbers") }
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
