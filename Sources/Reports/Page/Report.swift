import Foundation
import Studies
import Support

/// The report of a study: figures, tables, a machine-readable summary, and one HTML page.
///
/// The folder that it is written to then holds:
/// - `report.html`: everything, offline and interactive;
/// - `report.json`: the conclusion's numbers (`Summary`);
/// - `runs.csv`: a line for each run;
/// - `figures/NAME.csv`, `.vl.json` (the Vega-Lite spec), and `.svg`, `.pdf`, `.png` as asked for.
public struct Report: Sendable {
  /// Everything the report says, worked out.
  public let analysis: Analysis
  let figures: [any Figure]

  /// - Throws: `ReportError.noResults` where no run has finished with a merge.
  public init(_ results: StudyResults, selection: MergeSelection = MergeSelection()) throws {
    analysis = try Analysis(results, selection: selection)
    figures = StudyFigures.all(of: analysis)
  }

  /// The names of the figures, which are those of their files.
  public var figureNames: [String] { figures.map(\.name) }

  /// What `report.json` holds.
  public var summary: Summary { Summary(analysis, figures: figureNames) }

  /// Writes the report; each file appears whole or not at all.
  ///
  /// Without a renderer the tables and `report.json` are written, and then the error is thrown.
  ///
  /// - Returns: the page.
  /// - Throws: `ReportError`.
  @discardableResult
  public func write(to folder: URL, formats: Set<FigureFormat> = Set(FigureFormat.allCases)) throws -> URL {
    try write(to: folder, formats: formats, renderer: Renderer())
  }

  func write(to folder: URL, formats: Set<FigureFormat>, renderer: Renderer) throws -> URL {
    try makeFolder(folder)
    func put(_ data: Data, _ name: String) throws -> URL {
      let file = folder.appendingPathComponent(name)
      try writeAtomically(data, to: file.path)
      return file
    }
    _ = try put(Data(RunTable(analysis: analysis).table.csv().utf8), "runs.csv")
    _ = try put(try summary.json(), "report.json")
    let bundle = try figures.write(to: folder, in: "figures", formats: formats, renderer: renderer).bundle
    return try put(Data(page(formats: formats).html(bundle: bundle).utf8), "report.html")
  }

  /// - Parameter formats: the formats of the pictures beside the page.
  func page(formats: Set<FigureFormat>) -> Page {
    let results = analysis.results
    let conclusion = Conclusion(analysis: analysis)
    return Page(
      title: "\(results.name) · Valley report", heading: results.name, description: subtitle,
      sections: [
        Page.conclusion("Conclusion", headline: conclusion.headline, paragraphs: conclusion.paragraphs), Page.problems,
        warnings,
        Page.figures(
          figures, formats: formats,
          note: "Hover over a point for its numbers; click a legend entry to single out a line."),
        "<h2>Runs</h2>", RunTable(analysis: analysis).html, "<h2>Settings</h2>", settings,
      ])
  }

  /// "Figure 2b of the paper, at scale smoke. ResNet18 on CIFAR-100."
  private var subtitle: String {
    let results = analysis.results
    let parts = [results.figure.map { "Figure \($0) of the paper" }, results.scale.map { "at scale \($0.rawValue)" }]
      .compactMap(\.self)
    let place = parts.joined(separator: ", ")
    return place.isEmpty
      ? results.description : place.prefix(1).uppercased() + place.dropFirst() + ". " + results.description
  }

  private var warnings: String {
    guard !analysis.warnings.isEmpty else { return "" }
    let items = analysis.warnings.map { "<li>\(escaped($0))</li>" }.joined(separator: "\n")
    return "<section class=\"warnings\" aria-label=\"Warnings\">\n<ul>\n\(items)\n</ul>\n</section>"
  }

  private var settings: String {
    let (results, selection) = (analysis.results, analysis.selection)
    let pairs =
      results.settings.map { ($0.key, $0.value) } + [
        ("swept", results.axes.isEmpty ? "nothing" : results.axes.joined(separator: ", ")),
        ("noise proxy", analysis.proxyText),
        ("a run's gain", "mean over its merges at \(selection.words), \(selection.checkpoints.words)"),
      ]
    let rows = pairs.map { "<tr><th scope=\"row\">\(escaped($0.0))</th><td>\(escaped($0.1))</td></tr>" }
    return
      "<div class=\"scroll\"><table class=\"settings\"><tbody>\n\(rows.joined(separator: "\n"))\n</tbody></table></div>"
  }
}
