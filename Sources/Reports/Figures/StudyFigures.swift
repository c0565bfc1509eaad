/// The figures of a study's report.
enum StudyFigures {
  /// Every kind that there is, in the order in which a report shows them.
  static let kinds: [any Figure.Type] = [
    PathFigure.self, HillFigure.self, CurvatureFigure.self, SimilarityFigure.self, PlaneFigure.self,
    TaskCurvesFigure.self, TaskMapFigure.self, TransferFigure.self, AlphaFigure.self, GainFigure.self,
    GainBoxesFigure.self, GainRowsFigure.self, SingleFigure.self, TrainingLossFigure.self, NoiseFigure.self,
  ]

  /// Those that apply, each with a name of its own.
  static func all(of analysis: Analysis) -> [any Figure] {
    // Keys that differ in punctuation alone would share a name.
    var uses: [String: Int] = [:]
    return kinds.flatMap { $0.figures(of: analysis) as [any Figure] }.map { figure in
      let use = uses[figure.name, default: 0] + 1
      uses[figure.name] = use
      return use > 1 ? Renamed(name: "\(figure.name)-\(use)", figure: figure) : figure
    }
  }

  private struct Renamed: Figure {
    var name: String
    var figure: any Figure
    var title: String { figure.title }
    var caption: String { figure.caption }
    var table: Table { figure.table }
    var spec: Spec { figure.spec }
  }
}
