import ArgumentParser
import Datasets
import Foundation
import Support

/// `valley data`: the datasets there are, whether their files are sound, and fetching them.
struct DataCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "List, check and fetch datasets.",
    discussion: """
      Files live in $VALLEY_DATA, or ~/.cache/valley/data when it is not set, one folder a dataset. Pictures in files of their own are
      decoded once into its folder `cache`, which may be deleted whenever nobody trains.

      EXAMPLES
        valley data list
        valley data fetch cifar10
        valley data check cifar10
        valley data check ~/downloads/cifar-10-batches-bin
        valley data check ~/pictures                     # a folder of JPEG or PNG files for each class
      """,
    subcommands: [List.self, Check.self, Fetch.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show every dataset and where its files are or would be.")

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
      for row in rows {
        let counts = [row.train, row.test].compactMap { $0 }.map(String.init).joined(separator: " + ")
        print(
          pad(row.name, 15) + pad(row.classes > 0 ? "\(row.classes) classes" : "any classes", 13)
            + pad("\(row.channels)×\(row.height)×\(row.width)", 10)
            + pad(counts.isEmpty ? "any number" : counts, 15) + row.summary)
        guard let folder = row.folder else { continue }
        let absent =
          row.origin.map { "not here: \($0)" } ?? "not fetched (\(max(1, row.downloadBytes / 1_000_000)) MB)"
        print(pad("", 15) + (row.present ? "in \(folder)" : absent))
      }
      print("\nTexts, for language models:")
      for dataset in KnownDataset.allCases where dataset.isText { print(pad(dataset.rawValue, 15) + dataset.summary) }
      print("\nFiles go to \(KnownDataset.usualFolder.path); set VALLEY_DATA for another place.")
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read a whole dataset and describe it, or name the first thing wrong with it.")

    @Argument(help: "A dataset's name, or the folder of its files.") var dataset: String
    @Option(help: "The folder of the named dataset's files, where that is not the usual one.") var folder: String?
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
      let rows = try Split.allCases.filter { known.count($0) != 0 }.map { split in
        let meter = Meter()
        return Row(
          try known.pictures(split, from: place) { meter.count("decoding \(split) pictures", $0, of: $1) }, split)
      }
      if json { return try printJSON(rows) }
      for row in rows {
        let counts = row.classCounts.values
        let expected = known.count(row.split).map { $0 == row.examples ? "" : " of the published \($0)" } ?? ""
        print(
          "\(row.dataset) \(row.split.rawValue): \(row.examples)\(expected) examples of "
            + "\(row.channels) × \(row.size), \(row.classCounts.count) classes of \(counts.min() ?? 0) to \(counts.max() ?? 0) examples"
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
          throw DatasetError("\(dataset) is whatever lies in a folder of yours", remedy: "name it with --folder")
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

  struct Fetch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Download a dataset, go on where an earlier attempt stopped, and check its checksums.")

    @Argument(help: "Names of datasets: \(KnownDataset.allCases.map(\.rawValue).joined(separator: ", ")).")
    var names: [String]
    @Option(help: "Where its files go; by default a folder with its name in $VALLEY_DATA.") var folder: String?
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
        let meter = Meter()
        let files = try await dataset.fetch(to: place, mirror: url) { meter.show($0, $1, of: $2) }
        rows.append(Row(dataset: dataset.rawValue, files: files.map(\.path)))
        guard !json else { continue }
        print(files.isEmpty ? "\(dataset.rawValue) needs no files" : "\(dataset.rawValue) is in \(place.path)")
      }
      if json { try printJSON(rows) }
    }
  }
}

/// Says on standard error how far a download is, at most once for each percent.
private final class Meter: @unchecked Sendable {
  // Called from the download's own queue, one call at a time.
  private var shown = ""

  func show(_ file: String, _ done: Int, of total: Int) {
    show("\(file) \(total > 0 ? 100 * done / total : 0) % of \(total / 1_000_000) MB", isDone: done >= total)
  }

  func count(_ what: String, _ done: Int, of total: Int) {
    show("\(what): \(total > 0 ? 100 * done / total : 0) % of \(total)", isDone: done >= total)
  }

  private func show(_ text: String, isDone: Bool) {
    guard text != shown else { return }
    shown = text
    let ends = isDone ? "\n" : ""
    FileHandle.standardError.write(
      Data((isatty(STDERR_FILENO) == 1 ? "\r\(text)\(ends)" : ends.isEmpty ? "" : text + "\n").utf8))
  }
}

private func pad(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(1, width - text.count))
}
