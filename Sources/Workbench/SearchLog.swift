import Checkpoints
import Foundation
import Studies
import Support

/// What decides a search's candidates and their values: two searches with the same settings try the same.
struct SearchSettings: Codable, Equatable {
  var recipe, algorithm, metric, split, batchNorm, network: String
  var examples: Int?
  var seed: UInt64

  /// What differs.
  func differences(from other: SearchSettings) -> [String] {
    [
      ("the recipe", recipe == other.recipe), ("`algorithm`", algorithm == other.algorithm),
      ("`metric`", metric == other.metric), ("`split`", split == other.split),
      ("`examples`", examples == other.examples), ("`batchNorm`", batchNorm == other.batchNorm),
      ("`seed`", seed == other.seed), ("network or data", network == other.network),
    ].filter { !$0.1 }.map(\.0)
  }
}

/// The folder of a search: its settings and every evaluation so far, owned by this process.
final class SearchLog {
  private(set) var rows: [CandidateRow]
  private let file: RowFile
  private let lock: FolderLock

  /// - Throws: `WorkbenchError` where the folder holds another search, `FolderLock.Held` where another process is at
  ///   it.
  init(_ folder: URL, _ settings: SearchSettings, replacing: Bool) throws {
    let files = FileManager.default
    let settingsFile = folder.appendingPathComponent("search.json")
    let rowsFile = folder.appendingPathComponent("candidates.jsonl")
    let remedy = "name another folder, or allow `replacing` it"
    if !files.fileExists(atPath: settingsFile.path), let found = try? files.contentsOfDirectory(atPath: folder.path),
      found.contains(where: { !$0.hasPrefix(".") && !$0.hasPrefix("lock") }), !replacing
    {
      throw WorkbenchError("\(folder.path): holds other files and no search; \(remedy)")
    }
    do {
      try files.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw WorkbenchError("\(folder.path): cannot be made: \(error.localizedDescription)")
    }
    lock = try FolderLock(folder)
    if replacing {
      for url in [settingsFile, rowsFile] where files.fileExists(atPath: url.path) { try files.removeItem(at: url) }
    }
    if let data = files.contents(atPath: settingsFile.path) {
      guard let earlier = try? JSONDecoder().decode(SearchSettings.self, from: data) else {
        throw WorkbenchError("\(settingsFile.path): is no search's settings; \(remedy)")
      }
      let differences = settings.differences(from: earlier)
      guard differences.isEmpty else {
        throw WorkbenchError(
          "\(folder.path) holds a search that differs in \(differences.joined(separator: ", ")); \(remedy)")
      }
    } else {
      try writeAtomically(try JSONEncoder.record.encode(settings) + Data("\n".utf8), to: settingsFile.path)
    }
    // Opened first: it drops a line that a crash tore.
    file = try RowFile(rowsFile)
    rows = try RowFile.rows(CandidateRow.self, in: rowsFile)
    if let wrong = rows.indices.first(where: { rows[$0].number != $0 + 1 }) {
      throw WorkbenchError(
        "\(rowsFile.path): line \(wrong + 1) is evaluation \(rows[wrong].number); it was changed by hand")
    }
  }

  func append(_ row: CandidateRow) throws {
    try lock.check()
    try file.append(row)
    rows.append(row)
  }
}
