import Foundation

/// What every page has around its content: a page that needs nothing else, no network and no files beside it.
enum PageShell {
  /// - Parameters:
  ///   - title: of the window
  ///   - main: HTML
  ///   - bundle: Vega, Vega-Lite and vega-embed as one script
  static func html(title: String, heading: String, description: String, main: String, bundle: String) -> String {
    // In the bundle only "</script" ends the element early; "</" alone must stay, or regular expressions break.
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
      \(main)
      </main>
      <script>\(script)</script>
      <script type="module">
      \(String(decoding: PackageResources.page_js, as: UTF8.self))</script>
      </body>
      </html>

      """
  }
}

extension Figure {
  /// The figure in a page, with links to its files.
  func html(number: Int, formats: Set<FigureFormat>) throws -> String {
    let files = (formats.map(\.rawValue).sorted() + ["csv"])
      .map { "<a href=\"figures/\(name).\($0)\">\($0.uppercased())</a>" }.joined(separator: " ")
    // "<" occurs in JSON only within strings, where \u003c means the same and cannot end the element.
    let spec = String(decoding: try document(.page).data(), as: UTF8.self)
      .replacingOccurrences(of: "<", with: "\\u003c")
    return """
      <figure\(hasPanels ? " class=\"wide\"" : "")>
      <h3>\(number). \(escaped(title))</h3>
      <div class="view" data-spec="\(name)"></div>
      <script type="application/json" id="\(name)">\(spec)</script>
      <figcaption>\(escaped(caption)) \(files)</figcaption>
      </figure>
      """
  }
}
