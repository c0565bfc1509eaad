import Checkpoints
import Foundation
import Landscape
import Reports
import Studies
import Torch

/// Trains and measures branch points of one budget: the runs behind `valley landscape transition`.
final class TransitionRuns {
  private let folder: URL
  private let runs: [RunConfiguration]
  private let budget: Double
  private let positions: [Double]
  private let split: EvalCommand.Which
  private let examples: Int?
  private let batchNorm: BatchNormPolicy
  /// "resnet18 on cifar10; …", known once something was measured.
  private var setting: String?

  init(
    folder: URL, runs: [RunConfiguration], budget: Double, positions: [Double], split: EvalCommand.Which,
    examples: Int?, batchNorm: BatchNormPolicy
  ) {
    (self.folder, self.runs, self.budget, self.positions) = (folder, runs, budget, positions)
    (self.split, self.examples, self.batchNorm) = (split, examples, batchNorm)
  }

  /// Optimizer steps that a branch point takes, all seeds together.
  func steps(at epoch: Double) -> Int {
    runs.map { $0.branching(atEpoch: epoch, budget: budget).steps().total }.reduce(0, +)
  }

  func words() throws -> String {
    let sgd = runs[0].optimizer
    return (setting ?? "")
      + "; budget \(LandscapeTransitionCommand.text(budget)) epochs, learning rate \(sgd.learningRate), batch size \(runs[0].batchSize), "
      + "\(runs.count) \(runs.count == 1 ? "seed" : "seeds")"
  }

  /// Trains, where that is not done yet, and measures the paths between the endpoints of every seed.
  func measure(_ epoch: Double) throws -> LandscapeTransitionCommand.Branch {
    var samples: [[Estimate.Sample]] = []
    var paths: [LandscapeTransitionCommand.Path] = []
    for run in runs {
      let configuration = run.branching(atEpoch: epoch, budget: budget)
      if let problem = configuration.problems.first {
        throw CommandError("branching at epoch \(LandscapeTransitionCommand.text(epoch)): \(problem)")
      }
      let url = folder.appendingPathComponent("runs/\(configuration.id)")
      try train(configuration, url, epoch)
      let found = try measure(configuration, url)
      paths += found
      samples.append(found.map { .init(endpoints: $0.endpoints, value: $0.height) })
    }
    guard let height = Estimate(samples: samples) else {
      throw CommandError(
        "no pair of endpoints at epoch \(LandscapeTransitionCommand.text(epoch)); a study needs two endpoints")
    }
    let verdict =
      if let lower = height.lower, lower > 0 { "hill" } else if let upper = height.upper, upper < 0 { "valley" } else {
        height.value > 0 ? "hill, not significant" : "valley, not significant"
      }
    return .init(epoch: epoch, height: height, verdict: verdict, steps: steps(at: epoch), paths: paths)
  }

  private func train(_ configuration: RunConfiguration, _ url: URL, _ epoch: Double) throws {
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    let run = try RunFolder(url, configuration: configuration)
    defer { run.close() }
    if !run.record.status.isComplete {
      let name = "epoch \(LandscapeTransitionCommand.text(epoch)), seed \(configuration.seeds.initialisation): step"
      let meter = Meter(name, total: run.record.stepsTotal)
      defer { meter.finish() }
      try run.perform(
        RunExecution.run, versions: RunRecord.Versions.current, control: RunControl(report: { meter.show($0) }))
    }
    if case .diverged(let step) = run.record.status {
      throw CommandError(
        "\(url.path): the training loss was not finite at step \(step), so there is no endpoint to measure; try a smaller learning rate"
      )
    }
  }

  private func measure(_ configuration: RunConfiguration, _ url: URL) throws -> [LandscapeTransitionCommand.Path] {
    let setting = try PreparedRun(configuration)
    let network = try setting.makeNetwork()
    let endpoints = try (0..<setting.steps.endpoints).map { index in
      let name = "checkpoints/endpoint-\(setting.steps.trunk)-\(index).safetensors"
      let file = try Checkpoint.read(url.appendingPathComponent(name).path)
      _ = try configuration.load(file, into: network, on: setting.device)
      let weights = network.weights
      try weights.requireFinite(of: file.path)
      return weights
    }
    let source = split == .train ? setting.train : setting.test
    let prepared = try PreparedExamples(source, limit: examples)
    let reestimates = batchNorm != .off && network.hasBatchNorm
    let evaluator = try PointEvaluator(
      network, train: split == .train ? prepared : nil, test: split == .test ? prepared : nil, batchNorm: batchNorm,
      batches: reestimates ? setting.batches() : nil)
    self.setting = LandscapeSession.words(configuration, evaluator)
    let store = try MeasureStore(
      url.appendingPathComponent("path"),
      setting: fingerprint([configuration.id, split.rawValue, "\(examples ?? -1)", evaluator.batchNorm.text]))
    let point = try MovingPoint(at: endpoints[0])
    return try endpoints.indices.flatMap { first in
      try ((first + 1)..<endpoints.count).map { second in
        let path = WeightPath(from: endpoints[first], to: endpoints[second])
        let points = try positions.map { position in
          try store("\(first) \(second) \(position)") {
            try point.move(to: path.terms(at: position))
            return try evaluator.measure(at: point.weights)
          }
        }
        let measure = PathMeasure(shape: .line, positions: positions, points: points)
        let barrier = split == .train ? measure.trainBarrier : measure.testBarrier
        return .init(
          seed: configuration.seeds.initialisation, endpoints: [first, second], measure: measure,
          height: barrier?.signed[positions.count / 2] ?? .nan)
      }
    }
  }

  /// Shows the progress of a run, which one thread reports.
  private final class Meter: @unchecked Sendable {
    private let label: String
    private let total: Int
    private var progress: Progress?

    init(_ label: String, total: Int) { (self.label, self.total) = (label, total) }

    func show(_ news: RunProgress) {
      let progress = progress ?? Progress(label, total: total, done: news.done - 1)
      self.progress = progress
      if news.done > progress.done { progress.update(news.done, note: news.phase) }
    }

    func finish() { progress?.finish() }
  }
}
