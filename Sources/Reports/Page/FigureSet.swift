import Foundation
import Support

/// Figures that belong together and what they say in words, written as pictures, tables and one offline page.
///
/// The folder that it is written to then holds `<name>.html`, and `figures/NAME.csv`, `.vl.json`, and `.svg`, `.pdf`
/// and `.png` as asked for.
public struct FigureSet: Sendable {
  /// The name of the page's file, without extension.
  public var name: String
  /// The page's title.
  public var title: String
  /// The setting, below the title.
  public var description: String
  /// What was found, a paragraph each.
  public var findings: [String]
  /// In the order of their numbers.
  public var figures: [any Figure]

  /// A set of figures, not yet written.
  public init(name: String, title: String, description: String, findings: [String], figures: [any Figure]) {
    (self.name, self.title, self.description) = (name, title, description)
    (self.findings, self.figures) = (findings, figures)
  }

  /// Writes everything; each file appears whole or not at all. Without a renderer the tables are written, and then the
  /// error is thrown.
  ///
  /// - Returns: the page.
  /// - Throws: `ReportError`.
  @discardableResult
  public func write(to folder: URL, formats: Set<FigureFormat> = Set(FigureFormat.allCases)) throws -> URL {
    let bundle = try figures.write(to: folder, in: "figures", formats: formats, renderer: Renderer()).bundle
    let page = Page(
      title: title, heading: title, description: description,
      sections: [
        Page.conclusion("Findings", paragraphs: findings), Page.problems,
        Page.figures(figures, formats: formats, note: "Hover over a point for its numbers."),
      ])
    let file = folder.appendingPathComponent("\(name).html")
    try writeAtomically(Data(page.html(bundle: bundle).utf8), to: file.path)
    return file
  }
}
