import ArgumentParser
import Datasets
import Foundation
import Support

/// `valley data fetch`
struct DataFetchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetch",
    abstract: "Download datasets, continuing where an earlier attempt stopped, and verify their checksums.")

  @Argument(help: "Names of datasets: \(KnownDataset.allCases.map(\.rawValue).joined(separator: ", ")).")
  var names: [String]
  @Option(help: "Where the files go.  (default: a folder with the dataset's name in $VALLEY_DATA)") var folder: String?
  @Option(help: "A mirror: the address of a folder with the same files.") var url: String?
  @Flag(help: "Print JSON.") var json = false

  struct Row: Codable {
    var dataset: String
    var files: [String]
  }

  func run() async throws {
    let datasets = try names.map { name in
      guard let known = KnownDataset(rawValue: name) else {
        throw DatasetError(
          "there is no dataset '\(name)'",
          remedy: "choose from \(KnownDataset.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return known
    }
    var rows: [Row] = []
    for dataset in datasets {
      let place = folder.map { URL(fileURLWithPath: $0) } ?? dataset.usualFolder
      let report = Reporter()
      let files = try await dataset.fetch(to: place, mirror: url) { file, done, total in
        report.show("\(file), MB", done / 1_000_000, of: total / 1_000_000)
      }
      rows.append(Row(dataset: dataset.rawValue, files: files.map(\.path)))
      guard !json else { continue }
      print(files.isEmpty ? "\(dataset.rawValue) needs no files" : "\(dataset.rawValue) is in \(place.path)")
    }
    if json { try printJSON(rows) }
  }
}
