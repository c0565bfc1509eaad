import ArgumentParser
import Datasets
import Foundation
import Support

/// `valley data check`
struct DataCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Read a whole dataset and describe it, or report the first thing wrong with it.")

  @Argument(help: "A dataset's name, or the folder of its files.") var dataset: String
  @Option(help: "The folder with the named dataset's files, if that is not the usual one.") var folder: String?
  @Flag(help: "Print JSON.") var json = false

  struct Row: Codable {
    var dataset: String
    var split: Split
    var examples, channels: Int
    /// Of the smallest picture, and of the largest.
    var height, width, largestHeight, largestWidth: Int
    var classCounts: [String: Int]
    var mean, standardDeviation: [Double]

    init(_ pictures: Pictures, _ split: Split) {
      let (sizes, statistics) = (pictures.sizes, pictures.channelStatistics())
      (dataset, self.split, examples, channels) = (pictures.name, split, pictures.count, pictures.channels)
      (height, width) = sizes.smallest
      (largestHeight, largestWidth) = sizes.largest
      classCounts = Dictionary(zip(pictures.classNames, pictures.classCounts), uniquingKeysWith: +)
      (mean, standardDeviation) = (statistics.mean, statistics.standardDeviation)
    }

    var size: String {
      "\(height) × \(width)"
        + (height == largestHeight && width == largestWidth ? "" : " to \(largestHeight) × \(largestWidth)")
    }
  }

  struct TextRow: Codable {
    var dataset: String
    var split: Split
    var bytes: Int
    /// The file's name, or which part of it.
    var text: String
  }

  func run() throws {
    let (known, place) = try resolve()
    if known.isText { return try checkText(known, place) }
    let report = Reporter()
    let rows = try Split.allCases.filter { known.count($0) != 0 }.map { split in
      try Row(
        known.pictures(split, from: place) { report.show("decoding \(split) pictures", $0, of: $1) }, split)
    }
    if json { return try printJSON(rows) }
    for row in rows {
      let counts = row.classCounts.values
      let expected = known.count(row.split).map { $0 == row.examples ? "" : " of the published \($0)" } ?? ""
      print(
        "\(row.dataset) \(row.split.rawValue): \(row.examples)\(expected) examples of "
          + "\(row.channels) × \(row.size), \(row.classCounts.count) classes of \(counts.min() ?? 0) to "
          + "\(counts.max() ?? 0) examples"
      )
      print("  mean \(list(row.mean)), standard deviation \(list(row.standardDeviation))")
    }
  }

  /// Reads a text whole and says how long its parts are.
  private func checkText(_ known: KnownDataset, _ place: URL?) throws {
    let text = try TextDataset(known, path: place, tokenizer: Tokenizer.bytes)
    let rows = Split.allCases.map {
      TextRow(dataset: known.rawValue, split: $0, bytes: text.count($0), text: text.name($0))
    }
    if json { return try printJSON(rows) }
    for row in rows { print("\(row.dataset) \(row.split.rawValue): \(row.bytes) bytes, \(row.text)") }
  }

  private func resolve() throws -> (KnownDataset, URL?) {
    if let known = KnownDataset(rawValue: dataset) {
      guard !known.isOwn || folder != nil else {
        throw DatasetError("\(dataset) stands for a folder of your own", remedy: "name it with --folder")
      }
      return (known, folder.map { URL(fileURLWithPath: ($0 as NSString).expandingTildeInPath) })
    }
    let names = KnownDataset.allCases.map(\.rawValue).joined(separator: ", ")
    let place = URL(fileURLWithPath: (dataset as NSString).expandingTildeInPath)
    guard FileManager.default.fileExists(atPath: place.path) else {
      throw DatasetError(
        "'\(dataset)' is neither a dataset nor a folder", remedy: "choose one of \(names), or a folder")
    }
    guard let known = KnownDataset.recognise(place) else {
      throw DatasetError(
        file: place.path, "no files of a known dataset",
        remedy: "it should hold the published files of one of \(names), or a folder of pictures for each class")
    }
    return (known, place)
  }

  private func list(_ values: [Double]) -> String {
    values.map { String(format: "%.4f", $0) }.joined(separator: " ")
  }
}
