import Support

/// How Vega-Lite draws a figure: a view, or several side by side.
public struct Spec: Sendable {
  /// Data, encoding and layers, without size and style.
  var view: [String: JSON]
  /// The height of the plotting area in pixels; nil where panels have sizes of their own.
  var height: Int?

  /// Where a figure is shown.
  enum Theme: Sendable {
    /// In a file of its own: fixed width, white background.
    case file
    /// Within the page: as wide as its container, in the page's own colours, which may be light on dark.
    case page
  }

  /// One view, as wide as the place where it is shown.
  ///
  /// - Parameters:
  ///   - view: the fields of a Vega-Lite view, such as `data` and `layer`
  ///   - height: of the plotting area, in pixels
  public init(_ view: [String: JSON], height: Int = 280) { (self.view, self.height) = (view, height) }

  /// Several views, each with its own size and legend; they take the whole width of a page.
  ///
  /// - Parameters:
  ///   - panels: in the order of their letters
  ///   - columns: how many stand in a row
  ///   - isLettered: whether their titles start with a, b, c …
  ///   - data: what panels draw that have no data of their own
  public init(panels: [Panel], columns: Int = 4, isLettered: Bool = true, data: Table? = nil) {
    let views = panels.enumerated().map { $0.element.view(letter: isLettered ? Self.letter($0.offset) : nil) }
    view = [
      "concat": JSON(views), "columns": .number(columns),
      "resolve": ["scale": ["color": "independent", "opacity": "independent"]],
    ]
    if let data { view["data"] = ["values": data.values()] }
  }

  /// The letter of a panel: a, b, c.
  static func letter(_ index: Int) -> String { String(UnicodeScalar(UInt8(97 + index % 26))) }

  /// The whole Vega-Lite document.
  func document(_ theme: Theme, description: String) -> JSON {
    let ink: JSON = theme == .file ? "#222222" : "currentColor"
    // Vega scales opacity of `currentColor` well; a fixed grey would be too dark or too light in one of the two
    // schemes.
    let config: JSON = [
      "font": "DejaVu Sans, Verdana, sans-serif",
      "view": ["stroke": ink, "strokeOpacity": 0.25],
      "axis": [
        "labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": "normal", "labelColor": ink, "titleColor": ink,
        "gridColor": ink, "gridOpacity": 0.09, "domain": false, "tickColor": ink, "tickOpacity": 0.4, "titlePadding": 8,
        "labelLimit": 190, "titleLimit": 420,
      ],
      "legend": [
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelColor": ink, "titleColor": ink,
        "symbolSize": 70, "labelLimit": 180, "titleLimit": 180, "gradientLength": 130,
      ],
      "title": ["color": ink, "subtitleColor": ink, "fontSize": 13, "fontWeight": "bold", "anchor": "start"],
      "concat": ["spacing": 26],
      "text": ["color": ink, "fontSize": 12],
      "rule": ["color": ink],
      "tick": ["color": ink],
    ]
    let document = JSON(view).merging([
      "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
      "config": config,
      "background": theme == .file ? "white" : "transparent",
      "description": .text(description),
    ])
    // Panels cannot follow the width of their container; the page scales the picture instead.
    guard let height else { return document }
    return document.merging([
      "width": theme == .file ? 460 : "container",
      "height": .number(height),
      "autosize": theme == .file ? "pad" : ["type": "fit-x", "contains": "padding"],
    ])
  }
}

/// One of several views of a figure.
public struct Panel: Sendable {
  private var title: String
  private var heading: [String: JSON]
  private var body: [String: JSON]

  /// - Parameters:
  ///   - title: what stands beside the letter
  ///   - heading: the rest of a Vega-Lite title, such as `subtitle`
  ///   - width: of the plotting area, in pixels
  ///   - height: of the plotting area, in pixels
  ///   - rows: the data; nil where the layers have their own, or the figure has
  ///   - view: the other fields of a Vega-Lite view
  public init(
    _ title: String = "", heading: [String: JSON] = [:], width: Double, height: Double, rows: [JSON]? = nil,
    view: [String: JSON]
  ) {
    (self.title, self.heading, body) = (title, heading, view)
    (body["width"], body["height"]) = (.number(width), .number(height))
    if let rows { body["data"] = ["values": JSON(rows)] }
  }

  /// The same with layers, the first of them at the bottom.
  public init(
    _ title: String = "", heading: [String: JSON] = [:], width: Double, height: Double, rows: [JSON]? = nil,
    layers: [JSON]
  ) {
    self.init(title, heading: heading, width: width, height: height, rows: rows, view: ["layer": JSON(layers)])
  }

  fileprivate func view(letter: String?) -> JSON {
    let text = [letter ?? "", title].filter { !$0.isEmpty }.joined(separator: "  ")
    return text.isEmpty ? JSON(body) : JSON(body).merging(["title": JSON(heading).merging(["text": .text(text)])])
  }
}
