import Foundation
import Studies

/// What a report concludes, for programs: the contents of `report.json`.
public struct Summary: Codable, Sendable {
  /// A configuration's gain in one measure.
  public struct Gain: Codable, Sendable {
    public var measure: Measure
    public var estimate: Estimate
  }

  public struct ConfigurationSummary: Codable, Sendable {
    public var label: String
    public var settings: [Setting]
    public var noiseProxy: Double
    public var seeds: [Int]
    /// The number of runs by their status.
    public var statuses: [String: Int]
    public var gains: [Gain]
  }

  public var study: String
  public var description: String
  /// The figure of the paper that the study stands for, such as `2b`.
  public var figure: String?
  public var scale: StudyScale?
  /// The exponent p of S̃ = η / (B (1−μ)^p).
  public var momentumExponent: Int
  public var selection: MergeSelection
  /// One sentence.
  public var headline: String
  /// The conclusion as the page has it.
  public var conclusion: [String]
  /// The interior-maximum test for each measure.
  public var maxima: [InteriorMaximum]
  /// Of studies of transfer; nil for others.
  public var transfer: Transfer?
  /// For each test set; empty where the merge coefficient takes few values.
  public var alphaCurves: [AlphaCurves]
  /// Of merges across tasks; nil for other studies.
  public var tasks: TaskMerges?
  public var configurations: [ConfigurationSummary]
  public var warnings: [String]
  public var figures: [String]

  public init(_ report: Report) {
    let analysis = report.analysis
    let conclusion = Conclusion(analysis: analysis)
    study = analysis.results.name
    description = analysis.results.description
    figure = analysis.results.figure
    scale = analysis.results.scale
    momentumExponent = analysis.results.exponent
    selection = analysis.selection
    headline = conclusion.headline
    self.conclusion = conclusion.paragraphs
    maxima = analysis.maxima
    transfer = analysis.transfer
    alphaCurves = analysis.alphaCurves
    tasks = analysis.tasks
    configurations = analysis.configurations.map { configuration in
      ConfigurationSummary(
        label: configuration.label, settings: configuration.settings, noiseProxy: configuration.noiseProxy,
        seeds: configuration.runs.map(\.seed),
        statuses: Dictionary(configuration.runs.map { (statusWord($0.status), 1) }, uniquingKeysWith: +),
        gains: Measure.allCases.compactMap { measure in
          Estimate(runs: configuration.gains(measure, analysis.selection)).map { Gain(measure: measure, estimate: $0) }
        })
    }
    warnings = analysis.warnings
    figures = report.figureNames
  }

  /// The JSON text, with sorted keys.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try encoder.encode(self) + Data("\n".utf8)
  }
}
