import Foundation
import Studies

/// What a report concludes, for programs: the contents of `report.json`.
public struct Summary: Codable, Sendable {
  /// A configuration's gain in one measure.
  public struct Gain: Codable, Sendable {
    /// The quantity that the gain is in.
    public var measure: Measure
    /// The gain over the configuration's runs.
    public var estimate: Estimate
  }

  /// The runs that differ only in their seed.
  public struct ConfigurationSummary: Codable, Sendable {
    /// "lr 0.1, B 128".
    public var label: String
    /// The values of the swept keys.
    public var settings: [Setting]
    /// S̃ = η / (B (1−μ)^p).
    public var noiseProxy: Double
    /// One for each run.
    public var seeds: [Int]
    /// The number of runs by their status.
    public var statuses: [String: Int]
    /// One for each measure in which a run has a gain.
    public var gains: [Gain]
  }

  /// The study's name.
  public var study: String
  /// What the study is about, in its own words.
  public var description: String
  /// The paper's figure that the study stands for, such as `2b`.
  public var figure: String?
  /// The study's scale, if it has several.
  public var scale: StudyScale?
  /// The exponent p of S̃ = η / (B (1−μ)^p).
  public var momentumExponent: Int
  /// Which merges stand for a run.
  public var selection: MergeSelection
  /// The finding, in one sentence.
  public var headline: String
  /// The conclusion as the page has it.
  public var conclusion: [String]
  /// The interior-maximum test for each measure.
  public var maxima: [InteriorMaximum]
  /// The findings of a transfer study; nil for others.
  public var transfer: Transfer?
  /// What the merge coefficient does, for each test set; empty where it takes few values.
  public var alphaCurves: [AlphaCurves]
  /// Merges across tasks; nil for studies without them.
  public var tasks: TaskMerges?
  /// From the lowest S̃ to the highest.
  public var configurations: [ConfigurationSummary]
  /// What readers must know before they believe a figure.
  public var warnings: [String]
  /// The names of the figures.
  public var figures: [String]

  init(_ analysis: Analysis, figures: [String]) {
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
        statuses: Dictionary(configuration.runs.map { ($0.status.word, 1) }, uniquingKeysWith: +),
        gains: Measure.allCases.compactMap { measure in
          Estimate(runs: configuration.gains(measure, analysis.selection)).map { Gain(measure: measure, estimate: $0) }
        })
    }
    warnings = analysis.warnings
    self.figures = figures
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
