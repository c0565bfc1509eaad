import Checkpoints
import Foundation
import Landscape
import Studies
import Support

/// What decides a search's candidates and their values: two searches with the same settings try the same.
struct SearchSettings: Codable, Equatable {
  var recipe, algorithm, metric, split, batchNorm, network: String
  var examples: Int?
  var seed: UInt64

  init(_ command: MergeSearchCommand, recipe: String) {
    self.recipe = recipe
    (algorithm, metric) = (command.algorithm.rawValue, command.metric.rawValue)
    (split, examples, seed) = (command.split.rawValue, command.examples, command.seed)
    batchNorm = command.batchNorm.text
    let source = [command.setting.config, command.setting.runFolder].compactMap(\.self)
    let settings = command.setting.options.settings.map { "\($0.key)=\($0.value)" }
    network = (source + settings).joined(separator: " ")
  }

  /// What differs, by the options' names.
  func differences(from other: SearchSettings) -> [String] {
    [
      ("the recipe", recipe == other.recipe), ("--algorithm", algorithm == other.algorithm),
      ("--metric", metric == other.metric), ("--split", split == other.split),
      ("--examples", examples == other.examples),
      ("--batchnorm", batchNorm == other.batchNorm), ("--seed", seed == other.seed),
      ("network or data", network == other.network),
    ].filter { !$0.1 }.map(\.0)
  }
}

/// One evaluation.
struct CandidateRow: Codable {
  struct Value: Codable {
    var name, value: String
  }

  /// From 1 on.
  var number: Int
  /// As the search has it.
  var point: [Double]
  /// As the recipe has them.
  var values: [Value]
  var loss, accuracy: Double?
  var seconds: Double
  /// Why it could not be merged or measured.
  var error: String?

  func score(_ metric: MergeSearchCommand.Metric) -> Double? { metric == .loss ? loss : accuracy }

  /// Lower is better; NaN where the evaluation failed.
  func value(_ metric: MergeSearchCommand.Metric) -> Double {
    switch metric {
    case .loss: loss ?? .nan
    case .accuracy: accuracy.map { 1 - $0 } ?? .nan
    }
  }

  func text(_ metric: MergeSearchCommand.Metric) -> String {
    String(format: "loss %.4f, accuracy %.2f %%", loss ?? .nan, (accuracy ?? .nan) * 100)
  }
}

/// The folder of a search: its settings and every evaluation so far, owned by this process.
final class SearchLog {
  private(set) var rows: [CandidateRow]
  private let file: RowFile
  private let lock: FolderLock

  /// - Throws: `CommandError` where the folder holds another search, `FolderLock.Held` where another process is at it.
  init(_ folder: URL, _ settings: SearchSettings, replaces: Bool) throws {
    let files = FileManager.default
    let settingsFile = folder.appendingPathComponent("search.json")
    let rowsFile = folder.appendingPathComponent("candidates.jsonl")
    if !files.fileExists(atPath: settingsFile.path), let found = try? files.contentsOfDirectory(atPath: folder.path),
      found.contains(where: { !$0.hasPrefix(".") && !$0.hasPrefix("lock") }), !replaces
    {
      throw CommandError("\(folder.path): holds other files and no search; name another folder, or add --force")
    }
    do {
      try files.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw CommandError("\(folder.path): cannot be made: \(error.localizedDescription)")
    }
    lock = try FolderLock(folder)
    if replaces {
      for url in [settingsFile, rowsFile] where files.fileExists(atPath: url.path) { try files.removeItem(at: url) }
    }
    if let data = files.contents(atPath: settingsFile.path) {
      guard let earlier = try? JSONDecoder().decode(SearchSettings.self, from: data) else {
        throw CommandError("\(settingsFile.path): is no search's settings; name another folder, or add --force")
      }
      let differences = settings.differences(from: earlier)
      guard differences.isEmpty else {
        throw CommandError(
          "\(folder.path) holds a search that differs in \(differences.joined(separator: ", ")); name another folder, or add --force"
        )
      }
    } else {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try writeAtomically(try encoder.encode(settings) + Data("\n".utf8), to: settingsFile.path)
    }
    // Opened first: it drops a line that a crash tore.
    file = try RowFile(rowsFile)
    rows = try RowFile.rows(CandidateRow.self, in: rowsFile)
    if let wrong = rows.indices.first(where: { rows[$0].number != $0 + 1 }) {
      throw CommandError(
        "\(rowsFile.path): line \(wrong + 1) is evaluation \(rows[wrong].number); it was changed by hand")
    }
  }

  func append(_ row: CandidateRow) throws {
    try lock.check()
    try file.append(row)
    rows.append(row)
  }
}
