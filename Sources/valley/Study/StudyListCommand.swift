import ArgumentParser
import Foundation
import Studies
import Support

/// `valley study list`: the studies that come with Valley, and those below a folder.
struct StudyListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the paper's figures as studies, and the studies in a folder.",
    discussion: """
      Without a folder: the studies that come with Valley, by figure, which `valley study plan` and `run` take by \
      name, and the studies in out/. With a folder: the studies in it.

      EXAMPLES
        valley study list
        valley study list /data/studies --json
      """)

  @Argument(help: "Where to look, up to two folders deep.") var root: String?
  @Flag(help: "Print JSON.") var json = false

  struct Row: Encodable {
    var folder: String
    var name: String
    var description: String
    var runs = 0
    var counts: [String: Int] = [:]
    var results = 0
    /// Why the study cannot be read.
    var problem: String?
  }

  /// A study that comes with Valley.
  struct Entry: Encodable {
    var figure: String?
    var study, title: String
    var scales: [StudyScale]
  }

  struct Everything: Encodable {
    var figures: [Entry]
    var studies: [Row]
  }

  func run() throws {
    guard let root else { return try listAll() }
    let url = URL(fileURLWithPath: root)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue else {
      throw ValidationError("there is no folder \(root); `valley study run` makes one for each study")
    }
    let rows = Self.folders(url).map(Self.row)
    if json { return try printJSON(rows) }
    guard !rows.isEmpty else { return print("no studies in \(root)") }
    Self.show(rows)
  }

  private func listAll() throws {
    let entries = try Catalogue.studies.map { declaration in
      let study = try declaration.study()
      return Entry(figure: study.figure, study: study.name, title: study.title, scales: study.scales)
    }
    let rows = Self.folders(URL(fileURLWithPath: "out")).map(Self.row)
    if json { return try printJSON(Everything(figures: entries, studies: rows)) }
    var table = TextTable(["figure", "study", "title", "scales"])
    table.rows = entries.map {
      [$0.figure ?? "", $0.study, $0.title, $0.scales.map(\.rawValue).joined(separator: " ")]
    }
    print(table.text)
    guard !rows.isEmpty else { return }
    print("\nIn out/:\n")
    Self.show(rows)
  }

  private static func show(_ rows: [Row]) {
    var table = TextTable(["study", "runs", "done", "diverged", "failed", "running", "to do", "results", "folder"])
    for row in rows {
      func count(_ status: String) -> String { "\(row.counts[status] ?? 0)" }
      table.rows.append([
        row.name, "\(row.runs)", count("done"), count("diverged"), count("failed"), count("running"), count("pending"),
        "\(row.results)", row.folder,
      ])
    }
    print(table.text)
    for row in rows { if let problem = row.problem { print("\(row.folder): \(problem)") } }
  }

  private static func folders(_ root: URL) -> [URL] {
    func children(_ url: URL) -> [URL] {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
      return names.filter { !$0.hasPrefix(".") }.sorted().map { url.appendingPathComponent($0) }
    }
    func isStudy(_ url: URL) -> Bool {
      // A folder that has only a study.yaml may be a collection of declarations.
      ["study.yaml", "runs"].allSatisfy { FileManager.default.fileExists(atPath: url.appendingPathComponent($0).path) }
    }
    if isStudy(root) { return [root] }
    return children(root).flatMap { isStudy($0) ? [$0] : children($0).filter(isStudy) }
  }

  private static func row(_ url: URL) -> Row {
    var row = Row(folder: url.relativePath, name: url.lastPathComponent, description: "")
    do {
      let folder = try StudyFolder(url)
      let states = try folder.states(StudyIndex(url))
      row.name = folder.study.name
      row.description = folder.study.description
      row.runs = states.count
      row.counts = Dictionary(grouping: states, by: \.status.name).mapValues(\.count)
      row.results = states.reduce(0) { $0 + $1.resultCount }
    } catch {
      row.problem = "\(error)"
    }
    return row
  }
}
