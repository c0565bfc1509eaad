import ArgumentParser
import Foundation
import Reports

/// The options that say where figures and numbers go.
struct FigureOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: """
      Write numbers (JSON, CSV), figures and a page to this folder, and do not measure again what is found in it.
      """, completion: .directory)
  var out: String?
  @Option(help: "The pictures' formats, any of svg, pdf and png, separated by commas.", transform: FigureFormat.set)
  var format: Set<FigureFormat> = Set(FigureFormat.allCases)

  var folder: URL? { out.map { URL(fileURLWithPath: $0, isDirectory: true) } }

  /// Writes `<name>.json` with `result`, the figures and the page.
  func write(_ set: FigureSet, _ result: some Encodable) throws {
    guard let folder else { return }
    try writeJSON(result, to: folder.appendingPathComponent("\(set.name).json"))
    do {
      let page = try set.write(to: folder, formats: format)
      Terminal.writeError("\(page.path)\n")
    } catch let error as ReportError {
      // The numbers are there; a missing renderer is no reason to lose what the measurement prints.
      Terminal.writeError("no figures: \(error)\n")
    }
  }
}

extension FigureFormat {
  /// `svg,png` as a set.
  static func set(_ text: String) throws -> Set<FigureFormat> {
    let names = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
    return try Set(
      names.map { name in
        guard let format = FigureFormat(rawValue: name) else {
          throw ValidationError("unknown picture format '\(name)'; choose from svg, pdf and png")
        }
        return format
      })
  }
}
