import Checkpoints
import Datasets
import Foundation
import Landscape
import Merging
import Networks
import Studies
import Torch
import Weights

/// Merges a recipe at points of its space in memory and measures what comes out.
final class MergeCandidates {
  let space: RecipeSpace
  /// "resnet on cifar10; 2000 test examples; BatchNorm re-estimated …", for captions.
  let words: String
  private let folder: String
  private let models: MergeModels
  private let seed: UInt64
  private let split: MergeSearchCommand.Part
  private let configuration: RunConfiguration
  private let device: Device
  private let evaluator: PointEvaluator
  private let others: OtherExamples?

  /// Opens the models, plans the recipe at one point, and reads the data.
  init(_ command: MergeSearchCommand, _ space: RecipeSpace) throws {
    self.space = space
    folder = URL(fileURLWithPath: command.recipe).deletingLastPathComponent().path
    (seed, split) = (command.seed, command.split)
    let start = try space.recipe(at: space.space.dimensions.map(\.middle))
    models = try MergeModels(start, relativeTo: folder)
    // What does not fit together fits at no point.
    _ = try MergePlan(start, models: models, seed: seed)
    guard let first = models.paths.first?.path else { throw CommandError("\(command.recipe): names no model") }
    configuration = try command.setting.configuration(
      of: first, command: "merge search", usesBatches: command.batchNorm != .off)
    if let threads = command.setting.threads { Libtorch.setThreads(threads) }
    Libtorch.keepFreedMemory()
    let setting = try RunSetting(configuration)
    device = setting.device
    let network = try setting.makeNetwork()
    for message in try configuration.load(Checkpoint.read(first), into: network, on: device) {
      Terminal.writeError("\(first): \(message)\n")
    }
    let source = command.split == .train ? setting.train : setting.test
    let prepared = try PreparedExamples(source, limit: command.examples)
    others = OtherExamples(source, from: prepared.count)
    let reestimates = command.batchNorm != .off && network.hasBatchNorm
    evaluator = try PointEvaluator(
      network, train: nil, test: prepared, batchNorm: command.batchNorm,
      batches: reestimates ? setting.batches() : nil)
    words =
      [
        "\(configuration.model.name.rawValue) on \(configuration.dataset.name.rawValue)",
        "\(prepared.count) \(command.split == .train ? "training" : "test") examples", evaluator.batchNormWords,
      ].compactMap(\.self).joined(separator: "; ")
  }

  // MARK: Merging and measuring

  /// The merge at a point as the network has it.
  private func weights(at point: [Double]) throws -> Weights {
    let merged = try MergePlan(space.recipe(at: point), models: models, seed: seed).merged()
    // Files may have the names of other libraries.
    _ = try evaluator.network.loadPretrained(merged, head: .kept)
    try evaluator.network.move(to: device, format: .channelsLast)
    return evaluator.network.weights
  }

  /// Merges and measures; what goes wrong is part of the row.
  func row(at point: [Double], number: Int) -> CandidateRow {
    let start = Date()
    var row = CandidateRow(
      number: number, point: point, values: space.values(at: point).map { .init(name: $0.name, value: $0.value) },
      seconds: 0)
    do {
      let score = try evaluator.measure(at: weights(at: point)).test
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

  /// How many examples of the split were not evaluated on.
  var restCount: Int { others?.count ?? 0 }

  /// The score on them.
  func rest(at point: [Double]) throws -> PointMeasure.Score? {
    guard let others else { return nil }
    let rest = try PointEvaluator(evaluator.network, train: nil, test: PreparedExamples(others), batchNorm: .off)
    return try rest.measure(at: evaluator.settled(weights(at: point))).test
  }

  // MARK: Results

  /// The recipe at a point, models named by where they are.
  func yaml(at point: [Double], comment: String) -> String {
    let paths = Dictionary(
      models.paths.map { ($0.model.path, URL(fileURLWithPath: $0.path).standardizedFileURL.path) },
      uniquingKeysWith: { $1 })
    return "# \(comment)\n# \(words)\n" + space.yaml(at: point) { paths[$0] ?? $0 }
  }

  /// Writes the merged weights: as `valley merge` does, or, with the statistics they were measured with, one file in the network's names.
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

/// The examples of a source from one on.
private struct OtherExamples: ExampleSource {
  let count: Int
  private let source: any ExampleSource
  private let start: Int
  var classes: Int { source.classes }
  var device: Device { source.device }

  /// nil where none is left.
  init?(_ source: any ExampleSource, from start: Int) {
    guard start < source.count else { return nil }
    (self.source, self.start, count) = (source, start, source.count - start)
  }

  func batch(_ range: Range<Int>) throws -> ExampleBatch {
    try source.batch((range.lowerBound + start)..<(range.upperBound + start))
  }
}
