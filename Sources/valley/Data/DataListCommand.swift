import ArgumentParser
import Datasets
import Foundation
import Support

/// `valley data list`
struct DataListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the datasets, and where their files are or where to get them.")

  @Flag(help: "Print JSON.") var json = false

  struct Row: Codable {
    var name, summary: String
    var classes, channels, height, width: Int
    var train, test: Int?
    var downloadBytes: Int
    /// Where to get what `fetch` cannot download.
    var origin: String?
    var folder: String?
    var present: Bool
  }

  func run() throws {
    let rows = KnownDataset.allCases.filter { !$0.isText }.map { dataset in
      Row(
        name: dataset.rawValue, summary: dataset.summary, classes: dataset.classNames.count,
        channels: dataset.shape.channels, height: dataset.shape.height, width: dataset.shape.width,
        train: dataset.count(.train), test: dataset.count(.test),
        downloadBytes: dataset.archives.reduce(0) { $0 + $1.bytes }, origin: dataset.origin,
        folder: dataset == .glyphs || dataset.isOwn ? nil : dataset.usualFolder.path,
        present: dataset == .glyphs || !dataset.isOwn && KnownDataset.recognise(dataset.usualFolder) != nil)
    }
    if json { return try printJSON(rows) }
    var table = TextTable(["dataset", "classes", "pictures", "examples", "description", "files"])
    table.rows = rows.map { row in
      let counts = [row.train, row.test].compactMap(\.self).map(String.init).joined(separator: " + ")
      let absent = row.origin ?? "not fetched (\(max(1, row.downloadBytes / 1_000_000)) MB)"
      return [
        row.name, row.classes > 0 ? "\(row.classes)" : "any", "\(row.channels)×\(row.height)×\(row.width)",
        counts.isEmpty ? "any" : counts, row.summary, row.folder.map { row.present ? $0 : absent } ?? "",
      ]
    }
    print(table.text + "\n")
    var texts = TextTable(["text, for language models", "description"])
    texts.rows = KnownDataset.allCases.filter(\.isText).map { [$0.rawValue, $0.summary] }
    print(texts.text)
    print("\nFiles go to \(KnownDataset.usualFolder.path); set VALLEY_DATA for another place.")
  }
}
