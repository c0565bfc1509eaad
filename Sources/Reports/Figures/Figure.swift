import Support

/// A figure: what it shows, the numbers behind it, and how Vega-Lite draws them.
///
/// A new figure is one file with a type of its own. For a study's report it says in `figures(of:)` what it needs of the
/// study, and gets a place in `StudyFigures.kinds`. Figures of other things, such as a search, are made by whoever has
/// these at hand.
public protocol Figure: Sendable {
  /// The name of its files, without extension.
  var name: String { get }
  /// What it shows, in a line.
  var title: String { get }
  /// What is drawn, and under which setting, in plain text.
  var caption: String { get }
  /// The numbers drawn, with their units in the names of the columns.
  var table: Table { get }
  /// How Vega-Lite draws it.
  var spec: Spec { get }

  /// The figures of this kind that a study allows, in the order to show them: none where the kind does not apply, or
  /// one for each measure, axis, test set or method.
  static func figures(of analysis: Analysis) -> [Self]
}

extension Figure {
  /// None: the figure shows something other than a study.
  public static func figures(of analysis: Analysis) -> [Self] { [] }

  /// The whole Vega-Lite document.
  func document(_ theme: Spec.Theme) -> JSON { spec.document(theme, description: title) }
}
