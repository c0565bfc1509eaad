import ArgumentParser
import Networks
import Studies

/// The options that say which network and data: values that take the place of those of a study's file.
struct RunOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "A value of the configuration, named as in study.yaml; may be repeated.", valueName: "key=value"))
  var set: [String] = []
  @Option(
    help: "The network: see `valley model list`.", completion: .list(Architecture.Name.allCases.map(\.rawValue)))
  var model: String?
  @Option(help: "The dataset: see `valley data list`.") var data: String?
  @Option(help: "The folder with the dataset's files.", completion: .directory) var dataPath: String?
  @Option(help: "A file of plain text, for a language model; means --data text with this path.", completion: .file())
  var text: String?
  @Option(help: "A text's tokens: bytes, or a tokenizer.json.", completion: .file(extensions: ["json"]))
  var tokenizer: String?
  @Option(help: "Where to compute: cpu, cuda or cuda:N.") var device: String?

  func validate() throws {
    if text != nil, dataPath != nil { throw ValidationError("give one of --text and --data-path") }
    _ = try Setting.parse(set)
  }

  var settings: [Setting] {
    let named = [
      ("model.name", model ?? (text == nil ? nil : "gpt")), ("dataset.name", data ?? (text == nil ? nil : "text")),
      ("dataset.path", (text ?? dataPath).map(Setting.quoted)), ("dataset.tokenizer", tokenizer.map(Setting.quoted)),
      ("device", device),
    ]
    return named.compactMap { key, value in value.map { Setting(key: key, value: $0) } }
      + ((try? Setting.parse(set)) ?? [])
  }
}

extension Setting {
  /// What --set gives: `KEY=VALUE`, one each.
  /// - Throws: `ValidationError` for a text without a key or value.
  static func parse(_ texts: [String]) throws -> [Setting] {
    try texts.map { text in
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw ValidationError("--set \(text): expected KEY=VALUE, such as --set optimizer.lr=0.1")
      }
      return Setting(key: String(parts[0]), value: String(parts[1]))
    }
  }

  /// A text as YAML takes it whatever it holds, such as a path.
  static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
}
