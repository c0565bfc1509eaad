import Checkpoints
import Foundation
import Support

/// Figures that belong together, with what they say in words: written as pictures, tables and one offline page.
///
/// In the folder it is written to: `<name>.html`, and `figures/NAME.csv`, `.vl.json`, `.svg`, `.pdf`, `.png` as asked for.
public struct FigureSet: Sendable {
  /// The name of the page's file, without extension.
  public var name: String
  public var title: String
  /// The setting, below the title.
  public var description: String
  /// What was found, a paragraph each.
  public var findings: [String]
  public var figures: [Figure]

  public init(name: String, title: String, description: String, findings: [String], figures: [Figure]) {
    (self.name, self.title, self.description) = (name, title, description)
    (self.findings, self.figures) = (findings, figures)
  }

  /// Writes everything; each file appears whole or not at all. Without a renderer the tables are written, and then the error is thrown.
  /// - Returns: the page.
  /// - Throws: `ReportError`.
  @discardableResult
  public func write(to folder: URL, formats: Set<FigureFormat> = Set(FigureFormat.allCases)) throws -> URL {
    let bundle = try figures.write(to: folder, formats: formats, renderer: Renderer())
    let shown = try figures.enumerated().map {
      try $0.element.html(number: $0.offset + 1, formats: formats)
    }
    let page = PageShell.html(
      title: title, heading: title, description: description,
      main: """
        <section class="conclusion" aria-label="Findings">
        \(findings.map { "<p>\(escaped($0))</p>" }.joined(separator: "\n"))
        </section>
        <pre id="script-errors" role="alert" hidden></pre>
        <h2>Figures</h2>
        <p class="note">Hover over a point for its numbers.</p>
        <div class="figures">
        \(shown.joined(separator: "\n"))
        </div>
        """, bundle: bundle)
    let file = folder.appendingPathComponent("\(name).html")
    try writeAtomically(Data(page.utf8), to: file.path)
    return file
  }
}

extension [Figure] {
  /// Writes each figure's table, specification and pictures into `figures/` of a folder.
  ///
  /// - Parameter more: files that need no renderer: name and content
  /// - Returns: the scripts that draw the figures on a page.
  /// - Throws: `ReportError`; without a renderer after all else is written.
  func write(to folder: URL, formats: Set<FigureFormat>, renderer: Renderer, more: [(name: String, data: Data)] = [])
    throws -> String
  {
    let place = folder.appendingPathComponent("figures", isDirectory: true)
    do {
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    } catch {
      throw ReportError.file(path: place.path, message: "cannot make this folder: \(error.localizedDescription)")
    }
    func put(_ data: Data, _ name: String) throws {
      try writeAtomically(data, to: folder.appendingPathComponent(name).path)
    }
    for figure in self {
      try put(Data(figure.table.csv().utf8), "figures/\(figure.name).csv")
      try put(figure.document(.file).data(), "figures/\(figure.name).vl.json")
    }
    for (name, data) in more { try put(data, name) }
    guard renderer.isPresent else {
      throw ReportError.noRenderer(path: renderer.python.path, variable: renderer.isNamed, written: folder.path)
    }
    let documents = Dictionary(map { ($0.name, $0.document(.file)) }) { $1 }
    let output = try renderer.render(documents, formats: formats, scratch: folder)
    for (name, picture) in output.pictures { try put(picture, "figures/\(name)") }
    return output.bundle
  }
}
