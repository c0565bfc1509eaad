import Checkpoints
import Datasets
import Merging
import Networks
import Support
import Torch
import Training
import Weights

/// Evaluates everything that a branch point gives, on every test set: the singles, the base if a merge starts from it,
/// every group of endpoints merged by every method at every α, and ensembles.
final class BranchEvaluation {
  private let prepared: PreparedRun
  private let networks: RunNetworks
  private let checkpoints: RunCheckpoints
  private let point: Int
  private let hasBatchNorm: Bool
  private let statistics: Set<String>
  private let record: (ResultRow) throws -> Void
  /// Throws when the run is to stop.
  private let mayGoOn: () throws -> Void
  private var predictions = Predictions()
  /// The trunk, if anything starts from it.
  private var base: Weights?
  private var configuration: RunConfiguration { prepared.configuration }

  init(
    _ prepared: PreparedRun, _ networks: RunNetworks, _ checkpoints: RunCheckpoints, at point: Int,
    recording record: @escaping (ResultRow) throws -> Void, mayGoOn: @escaping () throws -> Void
  ) {
    (self.prepared, self.networks, self.checkpoints, self.point) = (prepared, networks, checkpoints, point)
    (self.record, self.mayGoOn) = (record, mayGoOn)
    hasBatchNorm = networks.own.hasBatchNorm
    statistics = Set(networks.own.parameters().filter { !$0.parameter.isTrainable }.map(\.name))
  }

  /// A test set; no name: the run's own.
  private struct TestSet {
    let name: String?
    let source: any ExampleSource
  }

  private struct Single {
    let plan: RunEndpoint
    let weights: Weights
    let norm: Double
    /// One for each test set.
    let tests: [Evaluation]
  }

  /// - Returns: what was predicted, for runs that keep it.
  func perform() throws -> Predictions? {
    let singles = try prepared.steps.plans.map(measureSingle)
    if configuration.merge.usesBase {
      let base = try checkpoints.trunk(at: point).weights.to(prepared.device)
      self.base = base
      try measureBase(base, singles)
    }
    let groups = groups(singles)
    let methods = configuration.merge.methods ?? [.usual]
    for group in groups {
      for method in methods {
        for alpha in method.alphas(configuration.merge.alphas, models: group.count) {
          try mayGoOn()
          try measureMerge(group.map { singles[$0] }, method, alpha: alpha)
        }
      }
    }
    guard configuration.predictions ?? false else { return nil }
    for group in groups + (groups.contains(Array(singles.indices)) ? [] : [Array(singles.indices)]) {
      try measureEnsemble(group.map { singles[$0] })
    }
    return predictions
  }

  /// Endpoints that are merged with one another; of different tasks, where there are tasks.
  private func groups(_ singles: [Single]) -> [[Int]] {
    let wanted = configuration.merge.groups ?? [.pairs]
    let pairs = singles.indices.flatMap { first in
      singles.indices.dropFirst(first + 1).filter { second in
        prepared.tasks.isEmpty || singles[first].plan.task != singles[second].plan.task
      }.map { [first, $0] }
    }
    let all = singles.count > 2 || !wanted.contains(.pairs) ? [Array(singles.indices)] : []
    return wanted.flatMap { $0 == .pairs ? pairs : all }
  }

  private func testSets(_ task: Int?) -> [TestSet] {
    if let task { return [TestSet(name: prepared.tasks[task].name, source: prepared.tasks[task].test)] }
    return [TestSet(name: nil, source: prepared.test)]
      + prepared.evaluations.map { TestSet(name: $0.name, source: $0.test) }
  }

  // MARK: Singles and the base

  private func measureSingle(_ plan: RunEndpoint) throws -> Single {
    try mayGoOn()
    let weights = try checkpoints.weights(at: point, endpoint: plan.index).to(prepared.device)
    let network = try networks.stand(at: weights, task: plan.task)
    let norm = try network.weightNorm()
    var tests: [Evaluation] = []
    for (place, test) in testSets(plan.task).enumerated() {
      let evaluation = try evaluate(network, on: test, as: .single(plan.index))
      let train = place == 0 ? try Evaluation(network, on: prepared.task(ofEndpoint: plan.index).train) : nil
      tests.append(evaluation)
      try record(
        row(
          .single, [plan], on: test.name, evaluation, norm: norm, trainLoss: train?.loss,
          trainAccuracy: train?.accuracy))
    }
    return Single(plan: plan, weights: weights, norm: norm, tests: tests)
  }

  /// The trunk itself, of which every merge of task vectors is a continuation: α = 0. With tasks, once with every
  /// endpoint's head.
  private func measureBase(_ base: Weights, _ singles: [Single]) throws {
    let heads: [Single?] = prepared.tasks.isEmpty ? [nil] : singles
    for head in heads {
      let weights = head.map { single in withHead(of: single.weights, base) } ?? base
      let network = try networks.stand(at: weights, task: head?.plan.task)
      for test in testSets(head?.plan.task) {
        let evaluation = try evaluate(network, on: test, as: .base)
        try record(
          row(.base, head.map { [$0.plan] } ?? [], on: test.name, evaluation, norm: network.weightNorm(), alpha: 0))
      }
    }
  }

  private func withHead(of single: Weights, _ body: Weights) -> Weights {
    Weights(single.map { ($0, networks.isHead($0) ? $1 : body[$0] ?? $1) })
  }

  // MARK: Merges

  private func measureMerge(_ singles: [Single], _ method: MergeChoice.Method, alpha: Double?) throws {
    let merged = try merge(singles, method, alpha: alpha)
    guard prepared.tasks.isEmpty else { return try measureTasks(merged, singles, method, alpha: alpha) }
    let network = try networks.stand(at: merged, task: nil)
    try reestimate(network, task: nil)
    let norm = try network.weightNorm()
    let name = PredictionName.merged(method, singles.map(\.plan.index), alpha: alpha)
    for (place, test) in testSets(nil).enumerated() {
      let evaluation = try evaluate(network, on: test, as: name)
      try record(
        row(
          .merged, singles.map(\.plan), on: test.name, evaluation, norm: norm, method: method, alpha: alpha,
          over: singles.map { $0.tests[place] }))
    }
  }

  /// One merge, with every task's own head on that task; and what it is worth over all tasks.
  private func measureTasks(
    _ merged: Weights, _ singles: [Single], _ method: MergeChoice.Method, alpha: Double?
  ) throws {
    var rows: [ResultRow] = []
    for single in singles {
      let network = try networks.stand(at: withHead(of: single.weights, merged), task: single.plan.task)
      try reestimate(network, task: single.plan.task)
      for test in testSets(single.plan.task) {
        let evaluation = try evaluate(network, on: test, as: .base)
        rows.append(
          try row(
            .merged, singles.map(\.plan), on: test.name, evaluation, norm: network.weightNorm(), method: method,
            alpha: alpha, over: single.tests))
      }
    }
    for row in rows { try record(row) }
    guard var whole = rows.first else { return }
    func mean(_ value: (ResultRow) -> Double?) -> Double? {
      let values = rows.compactMap(value)
      return values.count == rows.count ? values.reduce(0, +) / Double(rows.count) : nil
    }
    // The tasks' test sets are independent.
    func error(_ value: (ResultRow) -> Double?) -> Double? {
      mean { row in value(row).map { $0 * $0 } }.map { ($0 / Double(rows.count)).squareRoot() }
    }
    whole.evaluation = nil
    whole.testAccuracy = mean(\.testAccuracy) ?? .nan
    whole.testLoss = mean(\.testLoss) ?? .nan
    whole.weightNorm = mean(\.weightNorm) ?? .nan
    (whole.singleAccuracy, whole.singleLoss) = (mean(\.singleAccuracy), mean(\.singleLoss))
    (whole.accuracyGain, whole.lossGain) = (mean(\.accuracyGain), mean(\.lossGain))
    (whole.accuracyGainError, whole.lossGainError) = (error(\.accuracyGainError), error(\.lossGainError))
    whole.normalisedAccuracy = mean { row in row.singleAccuracy.map { row.testAccuracy / $0 } }
    try record(whole)
  }

  /// The endpoints' bodies merged; heads, where they are each task's own, are the first endpoint's.
  private func merge(_ singles: [Single], _ method: MergeChoice.Method, alpha: Double?) throws -> Weights {
    let models = singles.map { single in single.weights.filter { name, _ in !networks.isHead(name) } }
    if method.mergesStatistics { return try method.merged(models, base: nil, alpha: alpha, seed: 0) }
    func parameters(_ weights: Weights) -> Weights {
      weights.filter { name, _ in !statistics.contains(name) && !networks.isHead(name) }
    }
    var random = SplitMix64(
      UInt64(bitPattern: Int64(configuration.seeds.initialisation)), 0x3E26E, UInt64(point))
    let merged = try method.merged(
      models.map(parameters), base: base.map(parameters), alpha: alpha, seed: random.next())
    // Statistics are no direction to go in: they are averaged.
    let averaged = try linearMerge(
      models.map { model in model.filter { name, _ in statistics.contains(name) } },
      coefficients: models.map { _ in 1 / Double(models.count) })
    return Weights(
      (models.first?.names ?? []).compactMap { name in (merged[name] ?? averaged[name]).map { (name, $0) } })
  }

  private func reestimate(_ network: any Module, task: Int?) throws {
    guard hasBatchNorm, configuration.merge.batchNorm == .reestimate else { return }
    try reestimateBatchNorm(
      of: network, on: prepared.batches(of: task.map { prepared.tasks[$0] }),
      examples: configuration.merge.batchNormSamples)
  }

  // MARK: Ensembles

  private func measureEnsemble(_ singles: [Single]) throws {
    for (place, test) in testSets(nil).enumerated() {
      guard let evaluation = try predictions.ensemble(singles.map(\.plan.index), on: test.name) else { continue }
      try record(
        row(
          .ensemble, singles.map(\.plan), on: test.name, evaluation,
          norm: singles.map(\.norm).reduce(0, +) / Double(singles.count), over: singles.map { $0.tests[place] }))
    }
  }

  // MARK: Rows

  private func evaluate(_ network: any Module, on test: TestSet, as name: PredictionName) throws -> Evaluation {
    guard configuration.predictions ?? false else { return try Evaluation(network, on: test.source) }
    return try predictions.evaluate(network, on: test.source, named: test.name, as: name)
  }

  private func row(
    _ kind: ResultRow.Kind, _ plans: [RunEndpoint], on name: String?, _ test: Evaluation, norm: Double,
    method: MergeChoice.Method? = nil, alpha: Double? = nil, trainLoss: Double? = nil,
    trainAccuracy: Double? = nil, over singles: [Evaluation] = []
  ) -> ResultRow {
    let gain = singles.isEmpty ? nil : Gain(of: test, over: singles)
    func mean(_ value: (Evaluation) -> Double) -> Double? {
      singles.isEmpty ? nil : singles.map(value).reduce(0, +) / Double(singles.count)
    }
    return ResultRow(
      kind: kind, epoch: Double(point) / Double(prepared.steps.perEpoch), step: point, endpoints: plans.map(\.index),
      evaluation: name, task: kind == .single ? plans.first?.task.flatMap { prepared.tasks[$0].name } : nil,
      learningRates: prepared.tasks.isEmpty ? nil : plans.map(\.learningRate), method: method?.name, alpha: alpha,
      batchNorm: kind == .merged && hasBatchNorm ? configuration.merge.batchNorm.rawValue : nil,
      testAccuracy: test.accuracy, testLoss: test.loss, trainLoss: trainLoss, trainAccuracy: trainAccuracy,
      weightNorm: norm, singleAccuracy: mean(\.accuracy), singleLoss: mean(\.loss), accuracyGain: gain?.accuracy,
      accuracyGainError: gain?.accuracyError, lossGain: gain?.loss, lossGainError: gain?.lossError)
  }
}
