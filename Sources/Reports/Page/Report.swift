import Checkpoints
import Foundation
import Studies
import Support

/// The report of a study: figures, tables, a machine-readable summary, and one HTML page.
///
/// In the folder it is written to:
/// - `report.html`: everything, offline and interactive;
/// - `report.json`: the conclusion's numbers (`Summary`);
/// - `runs.csv`: a line for each run;
/// - `figures/NAME.csv`, `.vl.json` (the Vega-Lite spec), and `.svg`, `.pdf`, `.png` as asked for.
public struct Report: Sendable {
  public let analysis: Analysis
  let figures: [Figure]

  /// - Throws: `ReportError.noResults` where no run has finished with a merge.
  public init(_ results: StudyResults, selection: MergeSelection = MergeSelection()) throws {
    analysis = try Analysis(results, selection: selection)
    figures = Self.figures(analysis)
  }

  /// The names of the figures, as their files are named.
  public var figureNames: [String] { figures.map(\.name) }

  private static func figures(_ analysis: Analysis) -> [Figure] {
    let axes = analysis.axes + analysis.noiseAxes
    let training = TrainingFigures(analysis: analysis)
    // Without a sweep there is no curve, and the figures over training say it all.
    let gains = analysis.measures.flatMap { measure in
      [AlignedFigure(analysis: analysis, measure: measure).figure()]
        + axes.map { GainFigure(analysis: analysis, measure: measure, axis: $0).figure() }
    }
    let protocols =
      (analysis.landscapes.map { LandscapeFigures(analysis: analysis, landscapes: $0).figures() } ?? [])
      + (analysis.tasks.map { TaskFigures(analysis: analysis, merges: $0).figures() } ?? [])
      + (analysis.transfer.map { [TransferFigure(analysis: analysis, transfer: $0).figure()] } ?? [])
      + analysis.alphaCurves.map { AlphaFigure(analysis: analysis, curves: $0).figure() }
    let figures =
      (protocols + gains + analysis.measures.map { training.gainOverTraining($0) }
      + [
        analysis.measures.first.flatMap { training.singleAgainstGain($0) }, training.trainLoss(),
        training.measuredNoise(),
      ]).compactMap(\.self)
    // Keys that differ in punctuation alone would share a name.
    var uses: [String: Int] = [:]
    return figures.map { figure in
      var figure = figure
      uses[figure.name, default: 0] += 1
      if let use = uses[figure.name], use > 1 { figure.name += "-\(use)" }
      return figure
    }
  }

  /// Writes the report; each file appears whole or not at all.
  ///
  /// Without a renderer the tables and `report.json` are written, and then the error is thrown.
  ///
  /// - Returns: the page.
  /// - Throws: `ReportError`.
  @discardableResult
  public func write(to folder: URL, formats: Set<FigureFormat> = Set(FigureFormat.allCases)) throws -> URL {
    try write(to: folder, formats: formats, renderer: Renderer())
  }

  func write(to folder: URL, formats: Set<FigureFormat>, renderer: Renderer) throws -> URL {
    let bundle = try figures.write(
      to: folder, formats: formats, renderer: renderer,
      more: [
        ("runs.csv", Data(RunTable(analysis: analysis).table.csv().utf8)), ("report.json", try Summary(self).json()),
      ])
    let page = Page(analysis: analysis, figures: figures, bundle: bundle, formats: formats)
    let file = folder.appendingPathComponent("report.html")
    try writeAtomically(Data(page.html().utf8), to: file.path)
    return file
  }
}
