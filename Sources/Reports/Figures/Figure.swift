import Support

/// A figure: what it shows, the numbers behind it, and how Vega-Lite draws them.
///
/// A figure is one file with a type of its own. What a study's report shows says in `figures(of:)` what it needs of the
/// study, and has its place in `StudyFigures.kinds`; figures of other things, such as a search, are made where these
/// are known.
public protocol Figure: Sendable {
  /// The name of its files, without extension.
  var name: String { get }
  /// What it shows, in a line.
  var title: String { get }
  /// What is drawn, and under which setting, in plain text.
  var caption: String { get }
  /// The numbers drawn, with units in the names of the columns where there is one.
  var table: Table { get }
  /// How Vega-Lite draws it.
  var spec: Spec { get }

  /// What of this kind a study allows, in the order to show it: nothing where it does not apply, or a figure for each
  /// measure, axis, test set or method.
  static func figures(of analysis: Analysis) -> [Self]
}

extension Figure {
  /// Nothing, for figures of other things than a study.
  public static func figures(of analysis: Analysis) -> [Self] { [] }

  /// The whole Vega-Lite document.
  func document(_ theme: Spec.Theme) -> JSON { spec.document(theme, description: title) }

  /// The letter of a panel: a, b, c.
  static func letter(_ index: Int) -> String { Spec.letter(index) }
}
