import Foundation
import Support

extension Figure {
  /// Writes the figure's table and specification into a folder, which is made where it is missing, and its pictures:
  /// `NAME.csv`, `NAME.vl.json`, and a file for each of `formats`. Each appears whole or not at all.
  ///
  /// - Parameter needsPictures: whether a missing renderer is an error.
  /// - Returns: the names of the files written.
  /// - Throws: `ReportError`; `.noRenderer` after the table and the specification are written.
  @discardableResult
  public func write(
    to folder: URL, formats: Set<FigureFormat> = Set(FigureFormat.allCases), needsPictures: Bool = true
  ) throws -> [String] {
    let renderer = Renderer()
    let figures: [any Figure] = [self]
    guard renderer.isPresent || needsPictures else { return try figures.writeTables(to: folder) }
    return try figures.write(to: folder, formats: formats, renderer: renderer).files
  }
}

extension [any Figure] {
  /// Writes each figure's table, specification and pictures into the subfolder `place` of a folder.
  ///
  /// - Returns: the names of the files, and the script that draws the figures on a page.
  /// - Throws: `ReportError`; without a renderer after all else is written.
  func write(to folder: URL, in place: String = "", formats: Set<FigureFormat>, renderer: Renderer) throws
    -> (files: [String], bundle: String)
  {
    let target = folder.appendingPathComponent(place)
    let written = try writeTables(to: target)
    guard renderer.isPresent else {
      throw ReportError.noRenderer(path: renderer.python.path, variable: renderer.isNamed, written: folder.path)
    }
    let documents = Dictionary(map { ($0.name, $0.document(.file)) }) { $1 }
    let output = try renderer.render(documents, formats: formats, scratch: folder)
    let pictures = output.pictures.sorted { $0.key < $1.key }
    for (name, picture) in pictures { try writeAtomically(picture, to: target.appendingPathComponent(name).path) }
    return (written + pictures.map(\.key), output.bundle)
  }

  fileprivate func writeTables(to folder: URL) throws -> [String] {
    try makeFolder(folder)
    return try flatMap { figure in
      let files = [
        ("\(figure.name).csv", Data(figure.table.csv().utf8)),
        ("\(figure.name).vl.json", Data(figure.document(.file).compact.utf8)),
      ]
      for (name, data) in files { try writeAtomically(data, to: folder.appendingPathComponent(name).path) }
      return files.map(\.0)
    }
  }
}

/// Makes a folder where there is none.
///
/// - Throws: `ReportError`.
func makeFolder(_ folder: URL) throws {
  do {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  } catch {
    throw ReportError.file(path: folder.path, message: "cannot make this folder: \(error.localizedDescription)")
  }
}
