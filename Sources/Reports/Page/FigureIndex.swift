import Foundation

/// The paper's figures, the studies that stand for them, and what these studies gave, as Markdown for
/// `Documentation/figures.md`.
///
/// A study's results are looked for in `results/NAME` and `results/NAME-SCALE`: a `report.json` as `valley report`
/// writes it, and if they exist `trend.md`, with a sentence on whether the paper's trend appeared, and a `README.md` to
/// link to.
public struct FigureIndex: Sendable {
  /// A study of the catalogue.
  public struct Entry: Sendable {
    /// The figure of the paper that it stands for.
    public var figure: String?
    /// The study's name.
    public var study: String
    /// What it shows, in a line.
    public var title: String
    /// The scales it has.
    public var scales: [String]

    /// A study of the catalogue.
    public init(figure: String?, study: String, title: String, scales: [String]) {
      self.figure = figure
      self.study = study
      self.title = title
      self.scales = scales
    }
  }

  /// The part of `report.json` that is used, so that files from older versions serve too.
  private struct Report: Decodable {
    struct Configuration: Decodable { var statuses: [String: Int] }
    var headline: String
    var scale: String?
    var configurations: [Configuration]
  }

  private struct Finding {
    var folder: String
    var scale: String?
    var statuses: [String: Int]
    var headline: String
    var trend: String?
    var hasReadme: Bool
  }

  /// In the order of the table.
  public var entries: [Entry]
  /// The folder of the results.
  public var results: URL
  /// How the page that holds the table refers to that folder.
  public var link: String

  /// An index of what lies in `results`.
  public init(entries: [Entry], results: URL, link: String = "results") {
    self.entries = entries
    self.results = results
    self.link = link
  }

  /// A table of all studies, followed by the findings of those that were run.
  ///
  /// - Throws: `ReportError.file` where a report cannot be read.
  public func markdown() throws -> String {
    var lines = ["| figure | study | what it shows | run it with | state |", "| --- | --- | --- | --- | --- |"]
    var sections: [String] = []
    for entry in entries {
      let findings = try self.findings(entry)
      let states = findings.map { finding in
        let runs = finding.statuses.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        let place = finding.scale.map { " at scale \($0)" } ?? ""
        return "[measured\(place)](\(link)/\(finding.folder)): \(runs)"
      }
      let scale = findings.first?.scale ?? entry.scales.first
      let command = "valley study run \(entry.study)" + (scale.map { " --scale \($0)" } ?? "")
      lines.append(
        "| \(entry.figure ?? "") | \(entry.study) | \(Self.cell(entry.title)) | `\(command)` | "
          + "\(states.isEmpty ? "not run here" : states.joined(separator: "; ")) |")
      sections += findings.map { finding in
        let heading =
          "### " + [entry.figure.map { "Figure \($0)" }, entry.study].compactMap(\.self).joined(separator: ": ")
        let trend = finding.trend.map { "\n\n\($0)" } ?? ""
        let readme = finding.hasReadme ? " [More](\(link)/\(finding.folder)/README.md)." : ""
        return heading + (finding.scale.map { " at scale \($0)" } ?? "")
          + "\n\nThe report's finding: \(finding.headline).\(readme)\(trend)"
      }
    }
    let text = lines.joined(separator: "\n") + "\n"
    return sections.isEmpty ? text : text + "\n## What was measured\n\n" + sections.joined(separator: "\n\n") + "\n"
  }

  private func findings(_ entry: Entry) throws -> [Finding] {
    let folders = [entry.study] + entry.scales.map { "\(entry.study)-\($0)" }
    return try folders.compactMap { name in
      let folder = results.appendingPathComponent(name, isDirectory: true)
      let file = folder.appendingPathComponent("report.json")
      guard FileManager.default.fileExists(atPath: file.path) else { return nil }
      let report: Report
      do {
        report = try JSONDecoder().decode(Report.self, from: Data(contentsOf: file))
      } catch {
        throw ReportError.file(
          path: file.path, message: "is not what `valley report` writes (\(error)); run that command again")
      }
      let trend = try? String(contentsOf: folder.appendingPathComponent("trend.md"), encoding: .utf8)
      let suffix = entry.scales.first { name == "\(entry.study)-\($0)" }
      return Finding(
        folder: name, scale: report.scale ?? suffix,
        statuses: report.configurations.map(\.statuses).reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) },
        headline: report.headline,
        trend: trend?.trimmingCharacters(in: .whitespacesAndNewlines),
        hasReadme: FileManager.default.fileExists(atPath: folder.appendingPathComponent("README.md").path))
    }
  }

  /// A text with nothing in it that would end a table's cell.
  private static func cell(_ text: String) -> String {
    text.replacingOccurrences(of: "|", with: "\\|").replacingOccurrences(of: "\n", with: " ")
  }
}
