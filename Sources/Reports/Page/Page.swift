import Foundation
import Studies

/// The report as one HTML page that needs nothing else: no network, no files beside it.
struct Page: Sendable {
  let analysis: Analysis
  let figures: [Figure]
  /// Vega, Vega-Lite and vega-embed as one script.
  let bundle: String
  /// The formats in which figures lie beside the page, for the links below them.
  let formats: Set<FigureFormat>

  func html() throws -> String {
    let results = analysis.results
    let conclusion = Conclusion(analysis: analysis)
    let figures = try self.figures.enumerated().map {
      try $0.element.html(number: $0.offset + 1, formats: formats)
    }
    return PageShell.html(
      title: "\(results.name) · Valley report", heading: results.name, description: subtitle,
      main: """
        <section class="conclusion" aria-label="Conclusion">
        <p class="headline">\(escaped(conclusion.headline)).</p>
        \(conclusion.paragraphs.map { "<p>\(escaped($0))</p>" }.joined(separator: "\n"))
        </section>
        <pre id="script-errors" role="alert" hidden></pre>
        \(warnings())
        <h2>Figures</h2>
        <p class="note">Hover over a point for its numbers; click an entry of a legend to single out a line.</p>
        <div class="figures">
        \(figures.joined(separator: "\n"))
        </div>
        <h2>Runs</h2>
        \(runs())
        <h2>Settings</h2>
        \(settings())
        """, bundle: bundle)
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

  private func warnings() -> String {
    guard !analysis.warnings.isEmpty else { return "" }
    let items = analysis.warnings.map { "<li>\(escaped($0))</li>" }.joined(separator: "\n")
    return "<section class=\"warnings\" aria-label=\"Warnings\">\n<ul>\n\(items)\n</ul>\n</section>"
  }

  private func settings() -> String {
    let pairs =
      analysis.results.settings.map { ($0.key, $0.value) } + [
        ("swept", analysis.results.axes.isEmpty ? "nothing" : analysis.results.axes.joined(separator: ", ")),
        ("noise proxy", analysis.proxyText),
        (
          "a run's gain",
          "mean over its merges at \(analysis.selection.words), \(analysis.selection.checkpoints.words)"
        ),
      ]
    let rows = pairs.map { "<tr><th scope=\"row\">\(escaped($0.0))</th><td>\(escaped($0.1))</td></tr>" }
    return
      "<div class=\"scroll\"><table class=\"settings\"><tbody>\n\(rows.joined(separator: "\n"))\n</tbody></table></div>"
  }

  private func runs() -> String {
    let table = RunTable(analysis: analysis)
    let heads = table.columns.map { column in
      let kind = column.isNumber ? " class=\"number\"" : ""
      return "<th scope=\"col\"\(kind)><button type=\"button\">\(escaped(column.title))</button></th>"
    }
    let rows = table.rows.map { row in
      let cells = zip(table.columns, row).enumerated().map { index, cell in
        let (column, entry) = cell
        let value = entry.value.map { " data-value=\"\(escaped($0))\"" } ?? ""
        let body = index == 0 ? "<code>\(escaped(entry.text))</code>" : escaped(entry.text)
        return "<td\(column.isNumber ? " class=\"number\"" : "")\(value)>\(body)</td>"
      }
      return "<tr>\(cells.joined())</tr>"
    }
    return """
      <p class="note">Gains with their standard errors over test examples; click a column's name to sort by it.</p>
      <div class="scroll"><table>
      <thead><tr>\(heads.joined())</tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody>
      </table></div>
      """
  }
}

/// Text as HTML shows it literally, in an element or in a quoted attribute.
func escaped(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
