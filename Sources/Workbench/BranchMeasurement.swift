import Checkpoints
import Foundation
import Landscape
import Reports
import Studies

/// Trains and measures branch points of one budget.
struct BranchMeasurement {
  let budget: Double
  /// "resnet18 on cifar10; …", once something was measured
  private(set) var setting = ""
  private let runs: [RunConfiguration]
  private let folder: URL
  private let report: News.Listener
  private let positions: [Double]
  private let measuring: Measuring

  /// - Parameters:
  ///   - runs: seeds of one setting
  ///   - measuring: on one split
  init(
    _ runs: [RunConfiguration], positions: [Double], _ measuring: Measuring, _ folder: URL,
    _ report: @escaping News.Listener
  ) {
    (self.runs, self.positions, self.measuring) = (runs, positions, measuring)
    (self.folder, self.report) = (folder, report)
    budget = runs[0].budgetInEpochs
  }

  /// The optimizer steps that a branch point takes, over all seeds.
  func steps(at epoch: Double) -> Int {
    runs.map { $0.branching(atEpoch: epoch, budget: budget).steps().total }.reduce(0, +)
  }

  /// Trains what is not trained yet, and measures the paths between the endpoints of every seed.
  mutating func measure(_ epoch: Double) throws -> Transition.Branch {
    var samples: [[Estimate.Sample]] = []
    var paths: [Transition.Path] = []
    for run in runs {
      let configuration = run.branching(atEpoch: epoch, budget: budget)
      if let problem = configuration.problems.first {
        throw WorkbenchError("branching at epoch \(short(epoch)): \(problem)")
      }
      let url = folder.appendingPathComponent("runs/\(configuration.id)")
      try train(configuration, url, epoch)
      let found = try measure(configuration, url)
      paths += found
      samples.append(found.map { .init(endpoints: $0.endpoints, value: $0.height) })
    }
    guard let height = Estimate(samples: samples) else {
      throw WorkbenchError("there is no pair of endpoints at epoch \(short(epoch)); a study needs two endpoints")
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
      let stage = "epoch \(short(epoch)), seed \(configuration.seeds.initialisation): step"
      let total = run.record.stepsTotal
      try run.perform(
        RunExecution.run, versions: RunRecord.Versions.current,
        control: RunControl(report: { [report] in report(.progress(stage, $0.done, of: total, detail: $0.phase)) }))
    }
    if case .diverged(let step) = run.record.status {
      throw WorkbenchError(
        "\(url.path): the training loss was not finite at step \(step), so there is no endpoint to measure; "
          + "try a smaller learning rate")
    }
  }

  private mutating func measure(_ configuration: RunConfiguration, _ url: URL) throws -> [Transition.Path] {
    let prepared = try PreparedRun(configuration)
    let files = try (0..<prepared.steps.endpoints).map { index in
      try Checkpoint.read(
        url.appendingPathComponent("checkpoints/endpoint-\(prepared.steps.trunk)-\(index).safetensors").path)
    }
    let bench = try Bench(files, prepared, measuring, { _ in })
    let evaluator = try bench.evaluator()
    setting =
      bench.caption(bench.words(evaluator), evaluator)
      + "; budget \(short(budget)) epochs, learning rate \(configuration.optimizer.learningRate), batch size "
      + "\(configuration.batchSize), \(runs.count) \(runs.count == 1 ? "seed" : "seeds")"
    let store = try bench.store(url.appendingPathComponent("path"), evaluator, report: report)
    return try files.indices.flatMap { first in
      try ((first + 1)..<files.count).map { second in
        let path = WeightPath(from: bench.points[first].weights, to: bench.points[second].weights)
        let measure = try path.measured(
          at: positions, by: evaluator, store, key: { "\(first) \(second) \($0)" })
        let barrier = measuring.split == .train ? measure.trainBarrier : measure.testBarrier
        return Transition.Path(
          seed: configuration.seeds.initialisation, endpoints: [first, second], measure: measure,
          height: barrier?.signed[positions.count / 2] ?? .nan)
      }
    }
  }
}
