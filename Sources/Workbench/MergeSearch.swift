import Datasets
import Foundation
import Landscape
import Merging
import Reports
import Search
import Studies
import Support

/// Finds the values of a recipe that give the best merge.
///
///     var search = MergeSearch(recipe: "recipe.yml", from: RunSource(run: "out/first"))
///     search.examples = 2000
///     let found = try search.search(in: URL(fileURLWithPath: "out/search"))
///     print(found.best.values, found.weights)
///
/// Every candidate is merged in memory and evaluated. Two searches with the same settings try the same candidates.
public struct MergeSearch: Hashable, Sendable {
  /// What makes a merge good.
  public enum Metric: String, Codable, CaseIterable, Sendable { case accuracy, loss }

  /// The file of a recipe with ranges, see `RecipeSpace`.
  public var recipe: String
  /// Which network and data; not needed for models that are checkpoints in a run's folder.
  public var source: RunSource
  /// How many candidates to evaluate.
  public var budget: Int
  /// How candidates are chosen.
  public var algorithm: Minimiser.Algorithm
  /// What is optimised.
  public var metric: Metric
  /// The split whose examples decide.
  public var split: Split
  /// Decide by only the first N examples of the split; nil for all.
  public var examples: Int?
  /// Where a candidate's BatchNorm statistics come from.
  public var batchNorm: BatchNormPolicy
  /// The seed of the search.
  public var seed: UInt64

  /// By default, 40 candidates chosen by a Gaussian process.
  public init(
    recipe: String, from source: RunSource = RunSource(), budget: Int = 40,
    algorithm: Minimiser.Algorithm = .gaussianProcess, metric: Metric = .loss, split: Split = .test,
    examples: Int? = nil, batchNorm: BatchNormPolicy = .subset(2000), seed: UInt64 = 0
  ) {
    (self.recipe, self.source, self.budget, self.algorithm) = (recipe, source, budget, algorithm)
    (self.metric, self.split, self.examples) = (metric, split, examples)
    (self.batchNorm, self.seed) = (batchNorm, seed)
  }

  /// What a search found.
  public struct Result: Encodable, Sendable {
    /// How candidates were chosen
    public var algorithm: Minimiser.Algorithm
    /// What was optimised
    public var metric: Metric
    /// How many candidates were evaluated, and how many of them could not be merged or measured.
    public var evaluations, failures: Int
    /// The best candidate; of equal ones the first
    public var best: CandidateRow
    /// The best merge on the examples of the split that had no part in the choice; nil if there are none
    public var rest: PointMeasure.Score?
    /// The files with the best recipe and its merge
    public var recipe, weights: String
    /// The figure; nil if it could not be drawn
    public var figure: String?
    /// "resnet on cifar10; 2000 test examples; BatchNorm re-estimated …", for captions
    public var setting: String
    /// How many examples had no part in the choice.
    public var restExamples: Int

    private enum CodingKeys: CodingKey {
      case algorithm, metric, evaluations, failures, best, rest, recipe, weights, figure
    }
  }

  /// Checks the settings, without reading a file.
  /// - Throws: `WorkbenchError` for the first problem.
  public func check() throws {
    try WorkbenchError.require("budget", budget, in: 1...100_000)
    try WorkbenchError.require("examples", examples ?? 1, in: 1...Int.max)
  }

  /// The candidates, ready to be merged and measured at any point.
  ///
  /// - Throws: `WorkbenchError`, what is wrong with the recipe, and what reading models and data throws.
  public func candidates(report: News.Listener = { _ in }) throws -> MergeCandidates {
    try candidates(RecipeSpace(yaml: text(), file: recipe), report)
  }

  /// Searches, or continues a search that was interrupted or had a smaller budget.
  ///
  /// - Parameters:
  ///   - folder: keeps every evaluation; in the end it holds `best.yml`, the merged weights, `search.csv` and
  ///     `search.svg`, too
  ///   - replacing: whether to discard an earlier search in the folder
  /// - Throws: `WorkbenchError` where the folder holds another search or no candidate could be merged and measured,
  ///   `FolderLock.Held` where another process searches, what is wrong with the recipe, and what reading models and
  ///   data throws.
  public func search(
    in folder: URL, replacing: Bool = false, report: @escaping News.Listener = { _ in }
  ) throws -> Result {
    try check()
    let text = try text()
    let space = try RecipeSpace(yaml: text, file: recipe)
    // What has been tried belongs to one search; whether it is this one is known before data are read.
    let log = try SearchLog(folder, settings(recipe: text), replacing: replacing)
    let candidates = try candidates(space, report)
    try search(candidates, log, report)
    return try finish(candidates, Array(log.rows.prefix(budget)), folder, report)
  }

  private func candidates(_ space: RecipeSpace, _ report: News.Listener) throws -> MergeCandidates {
    let measuring = Measuring(split: split == .train ? .train : .test, examples: examples, batchNorm: batchNorm)
    return try MergeCandidates(recipe, space, from: source, measuring, seed: seed, report)
  }

  private func settings(recipe text: String) -> SearchSettings {
    let network =
      [source.study, source.run].compactMap(\.self) + source.settings.map { "\($0.key)=\($0.value)" }
    return SearchSettings(
      recipe: text, algorithm: algorithm.rawValue, metric: metric.rawValue, split: split.rawValue,
      batchNorm: batchNorm.text, network: network.joined(separator: " "), examples: examples, seed: seed)
  }

  private func text() throws -> String {
    guard let data = FileManager.default.contents(atPath: recipe) else {
      throw WorkbenchError("\(recipe): cannot be read")
    }
    return String(decoding: data, as: UTF8.self)
  }

  private func search(_ candidates: MergeCandidates, _ log: SearchLog, _ report: News.Listener) throws {
    var minimiser = Minimiser(candidates.space.space, by: algorithm, seed: seed)
    for row in log.rows.prefix(budget) { minimiser.tell(row.point, metric.value(row)) }
    if !minimiser.observations.isEmpty {
      report(.note("continuing after \(minimiser.observations.count) evaluations"))
    }
    while minimiser.observations.count < budget {
      let point = minimiser.ask()
      let row = candidates.row(at: point, number: minimiser.observations.count + 1)
      try log.append(row)
      minimiser.tell(point, metric.value(row))
      let detail = minimiser.best.map { "best \(metric.text($0.value))" } ?? "none succeeded"
      report(.progress("evaluating", minimiser.observations.count, of: budget, detail: detail))
    }
  }

  private func finish(
    _ candidates: MergeCandidates, _ rows: [CandidateRow], _ folder: URL, _ report: News.Listener
  ) throws -> Result {
    // Of equal ones the first, which is what the search holds to be the best.
    let succeeded = rows.filter { metric.value($0).isFinite }
    guard let best = succeeded.min(by: { (metric.value($0), $0.number) < (metric.value($1), $1.number) }) else {
      throw WorkbenchError(
        "none of \(rows.count) candidates could be merged and measured; the last: "
          + (rows.last?.error ?? "a loss that is not a number"))
    }
    let recipeFile = folder.appendingPathComponent("best.yml")
    try writeAtomically(Data(candidates.yaml(at: best.point, comment: best.text).utf8), to: recipeFile.path)
    let weights = try candidates.write(best.point, to: folder)
    var figure: String?
    do {
      try SearchFigure(
        ranges: candidates.ranges.map(\.name),
        candidates: rows.map { .init(value: metric.score($0), values: $0.values.map(\.value)) },
        metric: metric == .loss ? .loss : .accuracy, setting: candidates.setting
      ).write(to: folder)
      figure = folder.appendingPathComponent("search.svg").path
    } catch let error as ReportError {
      // Everything else is there.
      report(.note("\(error)"))
    }
    return Result(
      algorithm: algorithm, metric: metric, evaluations: rows.count, failures: rows.count - succeeded.count, best: best,
      rest: try candidates.rest(at: best.point), recipe: recipeFile.path, weights: weights, figure: figure,
      setting: candidates.setting, restExamples: candidates.restCount)
  }
}

extension MergeSearch.Metric {
  fileprivate func score(_ row: CandidateRow) -> Double? { self == .loss ? row.loss : row.accuracy }

  /// Lower is better; NaN where the evaluation failed.
  fileprivate func value(_ row: CandidateRow) -> Double {
    score(row).map { self == .loss ? $0 : 1 - $0 } ?? .nan
  }

  /// In words, from a value that is lower where the merge is better.
  fileprivate func text(_ value: Double) -> String {
    self == .loss ? String(format: "loss %.4f", value) : String(format: "accuracy %.2f %%", (1 - value) * 100)
  }
}
