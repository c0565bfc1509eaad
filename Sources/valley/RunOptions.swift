import ArgumentParser
import Foundation
import Networks
import Studies

/// The options that say which network and data: a study's file, and what takes the place of its values.
struct RunOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "A value of the configuration, as study.yaml names it; may be repeated.", valueName: "key=value"))
  var set: [String] = []
  @Option(
    help: "The network: see `valley model list`.", completion: .list(Architecture.Name.allCases.map(\.rawValue)))
  var model: String?
  @Option(help: "The dataset: see `valley data list`.") var data: String?
  @Option(help: "The folder of the dataset's files.", completion: .directory) var dataPath: String?
  @Option(help: "A file of plain text, for a language model: --data text with this path.", completion: .file())
  var text: String?
  @Option(help: "A text's tokens: bytes, or a tokenizer.json.", completion: .file(extensions: ["json"]))
  var tokenizer: String?
  @Option(help: "Where to compute: cpu, cuda or cuda:N.") var device: String?

  func validate() throws {
    if text != nil, dataPath != nil { throw ValidationError("give one of --text and --data-path") }
    for text in set where !text.dropFirst().contains("=") {
      throw ValidationError("--set \(text): expected KEY=VALUE, such as --set optimizer.lr=0.1")
    }
  }

  var settings: [Studies.Setting] {
    let named = [
      ("model.name", model ?? (text == nil ? nil : "gpt")), ("dataset.name", data ?? (text == nil ? nil : "text")),
      ("dataset.path", (text ?? dataPath).map(quoted)), ("dataset.tokenizer", tokenizer.map(quoted)),
      ("device", device),
    ]
    let given = set.map { text in
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return Studies.Setting(key: String(parts[0]), value: String(parts[1]))
    }
    return named.compactMap { key, value in value.map { Studies.Setting(key: key, value: $0) } } + given
  }

  /// A path may hold anything that means something in YAML.
  private func quoted(_ text: String) -> String { "'" + text.replacingOccurrences(of: "'", with: "''") + "'" }
}

/// Where the configuration of a single run comes from.
enum RunSource {
  /// A study's file (nil: every default) with `settings` in the place of its values; it must come down to one run.
  static func configuration(_ file: String?, _ settings: [Studies.Setting], command: String) throws -> RunConfiguration
  {
    let study =
      if let file {
        try StudyFile.read(URL(fileURLWithPath: file), settings: settings)
      } else {
        try StudyFile.parse("", file: "the command line", settings: settings)
      }
    guard let run = study.runs.first, study.runs.count == 1 else {
      let swept =
        study.axes.map { "--set \($0)=…" }
        + (study.runs.contains { $0.values == study.runs[0].values && $0 != study.runs[0] } ? ["--seed …"] : [])
      throw CommandError(
        "\(file ?? "") declares \(study.runs.count) runs and `valley \(command)` takes one: choose it with "
          + "\(swept.joined(separator: " ")), or use `valley study run`")
    }
    return run.configuration
  }

  /// The configuration of a run folder, with `settings` in the place of its values.
  static func configuration(of folder: URL, _ settings: [Studies.Setting]) throws -> RunConfiguration {
    guard let record = try RunRecord.read(folder) else {
      throw CommandError("\(folder.path) is no run folder: it has no run.json")
    }
    if settings.isEmpty { return record.configuration }
    // Its JSON is YAML with the keys of a study.
    let text = String(decoding: record.configuration.canonicalJSON, as: UTF8.self)
    let study = try StudyFile.parse(
      text, file: folder.appendingPathComponent("run.json").path, settings: settings)
    return study.runs[0].configuration
  }
}
