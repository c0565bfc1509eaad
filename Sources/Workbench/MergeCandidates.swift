import Checkpoints
import Datasets
import Foundation
import Landscape
import Merging
import Networks
import Search
import Torch
import Weights

/// Merges a recipe at points of its space, in memory, and measures the results.
///
/// Use it to choose candidates in other ways than `MergeSearch` does:
///
///     let candidates = try MergeSearch(recipe: "recipe.yml", from: source).candidates()
///     let row = candidates.row(at: candidates.ranges.map(\.middle), number: 1)
///     print(row.loss ?? .nan)
public final class MergeCandidates {
  /// "resnet on cifar10; 2000 test examples; BatchNorm re-estimated …", for captions
  public let setting: String
  /// What a point has a coordinate for, in the order of the recipe.
  public var ranges: [SearchSpace.Dimension] { space.space.dimensions }
  let space: RecipeSpace
  private let models: MergeModels
  private let seed: UInt64
  private let bench: Bench
  private let evaluator: PointEvaluator
  private let others: OtherExamples?

  /// Opens the models, plans the recipe at one point, and reads the data.
  /// - Parameter measuring: on one split
  init(
    _ recipe: String, _ space: RecipeSpace, from source: RunSource, _ measuring: Measuring, seed: UInt64,
    _ report: News.Listener
  ) throws {
    (self.space, self.seed) = (space, seed)
    let start = try space.recipe(at: space.space.dimensions.map(\.middle))
    models = try MergeModels(start, relativeTo: URL(fileURLWithPath: recipe).deletingLastPathComponent().path)
    // What does not fit together fits at no point.
    _ = try MergePlan(start, models: models, seed: seed)
    guard let first = models.paths.first?.path else { throw WorkbenchError("\(recipe): names no model") }
    bench = try Bench([first], from: source, measuring: measuring, report: report)
    evaluator = try bench.evaluator()
    let isTraining = measuring.split == .train
    let count = (isTraining ? evaluator.train : evaluator.test)?.count ?? 0
    others = OtherExamples(isTraining ? bench.run.train : bench.run.test, from: count)
    setting = bench.caption("\(count) \(isTraining ? "training" : "test") examples", evaluator)
  }

  // MARK: Merging and measuring

  /// The merge at a point as the network has it.
  private func weights(at point: [Double]) throws -> Weights {
    let merged = try MergePlan(space.recipe(at: point), models: models, seed: seed).merged()
    // Files may have the names of other libraries.
    _ = try bench.network.loadPretrained(merged, head: .kept)
    try bench.network.move(to: bench.run.device, format: .channelsLast)
    return bench.network.weights
  }

  /// Merges and measures a candidate. What goes wrong is part of the row.
  public func row(at point: [Double], number: Int) -> CandidateRow {
    let start = Date()
    var row = CandidateRow(
      number: number, point: point, values: space.values(at: point).map { .init(name: $0.name, value: $0.value) },
      seconds: 0)
    do {
      guard point.count == ranges.count else {
        throw WorkbenchError("a point has \(ranges.count) coordinates, not \(point.count)")
      }
      let measure = try evaluator.measure(at: weights(at: point))
      let score = measure.train ?? measure.test
      (row.loss, row.accuracy) = (score?.loss, score?.accuracy)
      if let loss = row.loss, !loss.isFinite {
        row.loss = nil
        row.error = "the loss is \(loss)"
      }
    } catch {
      row.error = "\(error)"
    }
    row.seconds = Date().timeIntervalSince(start)
    return row
  }

  /// How many examples of the split are not evaluated on.
  var restCount: Int { others?.count ?? 0 }

  /// The score on them.
  func rest(at point: [Double]) throws -> PointMeasure.Score? {
    guard let others else { return nil }
    let rest = try PointEvaluator(bench.network, train: nil, test: PreparedExamples(others), batchNorm: .off)
    return try rest.measure(at: evaluator.settled(weights(at: point))).test
  }

  // MARK: Results

  /// The recipe at a point, with models named by their paths.
  func yaml(at point: [Double], comment: String) -> String {
    let paths = Dictionary(
      models.paths.map { ($0.model.path, URL(fileURLWithPath: $0.path).standardizedFileURL.path) },
      uniquingKeysWith: { $1 })
    return "# \(comment)\n# \(setting)\n" + space.yaml(at: point) { paths[$0] ?? $0 }
  }

  /// Writes the merged weights: as `valley merge` does, or, with the statistics they were measured with, one file in
  /// the network's names.
  func write(_ point: [Double], to folder: URL) throws -> String {
    if evaluator.batchNorm != .off {
      let path = folder.appendingPathComponent("merged.safetensors").path
      try Safetensors.write(evaluator.settled(weights(at: point)), metadata: ["format": "pt"], to: path)
      return path
    }
    let plan = try MergePlan(space.recipe(at: point), models: models, seed: seed)
    let path = folder.appendingPathComponent(plan.configuration == nil ? "merged.safetensors" : "merged").path
    var options = MergePlan.Options()
    options.replaces = true
    try plan.write(to: path, options: options)
    return path
  }
}

/// The examples of a source from a given one on.
private struct OtherExamples: ExampleSource {
  let count: Int
  private let source: any ExampleSource
  private let start: Int
  var classes: Int { source.classes }
  var device: Device { source.device }

  /// nil if none are left.
  init?(_ source: any ExampleSource, from start: Int) {
    guard start < source.count else { return nil }
    (self.source, self.start, count) = (source, start, source.count - start)
  }

  func batch(_ range: Range<Int>) throws -> ExampleBatch {
    try source.batch((range.lowerBound + start)..<(range.upperBound + start))
  }
}
