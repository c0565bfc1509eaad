import Foundation

/// An HTML page that needs nothing else: no network, no files beside it.
struct Page {
  /// The window's title.
  var title: String
  var heading: String
  /// The text below the heading.
  var description: String
  /// The content, as HTML.
  var sections: [String]

  /// - Parameter bundle: Vega, Vega-Lite and vega-embed as one script.
  func html(bundle: String) -> String {
    // Only "</script" ends the element early; "</" alone must stay in the bundle, or regular expressions break.
    let script = bundle.replacingOccurrences(of: "</script", with: "<\\/script", options: .caseInsensitive)
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
      script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:">
      <meta name="generator" content="valley">
      <title>\(escaped(title))</title>
      <style>
      \(String(decoding: PackageResources.page_css, as: UTF8.self))</style>
      </head>
      <body>
      <header>
      <h1>\(escaped(heading))</h1>
      <p class="description">\(escaped(description))</p>
      </header>
      <main>
      \(sections.joined(separator: "\n"))
      </main>
      <script>\(script)</script>
      <script type="module">
      \(String(decoding: PackageResources.page_js, as: UTF8.self))</script>
      </body>
      </html>

      """
  }

  /// What was found.
  static func conclusion(_ label: String, headline: String? = nil, paragraphs: [String]) -> String {
    let lines = headline.map { ["<p class=\"headline\">\(escaped($0)).</p>"] } ?? []
    return """
      <section class="conclusion" aria-label="\(label)">
      \((lines + paragraphs.map { "<p>\(escaped($0))</p>" }).joined(separator: "\n"))
      </section>
      """
  }

  /// Where the page's scripts tell what went wrong.
  static let problems = "<pre id=\"script-errors\" role=\"alert\" hidden></pre>"

  /// - Parameter formats: the formats of the pictures beside the page, which the figures link to.
  static func figures(_ figures: [any Figure], formats: Set<FigureFormat>, note: String) -> String {
    let shown = figures.enumerated().map { $0.element.html(number: $0.offset + 1, formats: formats) }
    return """
      <h2>Figures</h2>
      <p class="note">\(note)</p>
      <div class="figures">
      \(shown.joined(separator: "\n"))
      </div>
      """
  }
}

extension Figure {
  /// The figure in a page, with links to its files.
  fileprivate func html(number: Int, formats: Set<FigureFormat>) -> String {
    let files = (formats.map(\.rawValue).sorted() + ["csv"])
      .map { "<a href=\"figures/\(name).\($0)\">\($0.uppercased())</a>" }.joined(separator: " ")
    // "<" occurs in JSON only within strings, where \u003c means the same and cannot end the element.
    let document = document(.page).compact.replacingOccurrences(of: "<", with: "\\u003c")
    return """
      <figure\(spec.height == nil ? " class=\"wide\"" : "")>
      <h3>\(number). \(escaped(title))</h3>
      <div class="view" data-spec="\(name)"></div>
      <script type="application/json" id="\(name)">\(document)</script>
      <figcaption>\(escaped(caption)) \(files)</figcaption>
      </figure>
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
