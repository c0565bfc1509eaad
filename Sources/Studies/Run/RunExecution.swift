import Checkpoints
import Foundation
import Training
import Weights

/// One run from its start to results: a trunk at constant learning rate; at each branch point endpoints that go on with
/// data orders, or tasks, of their own; these merged and compared with their parts. Without a start it is the paper's
/// protocol A; with one and a trunk of no length, protocol B.
///
/// Where it stands is `checkpoints/resume.safetensors`, written every so often: the state in training, its place in the
/// run, and the lengths that the row files had. What that place refers to (the trunk at the branch point, endpoints
/// done) is written before. A run that was killed goes back to it and, data order and augmentation being functions of
/// the step, ends with the same bytes.
public final class RunExecution {
  let prepared: PreparedRun
  let folder: RunFolder
  private let checkpoints: RunCheckpoints
  let control: RunControl
  let networks: RunNetworks
  let steps: RunSteps
  var configuration: RunConfiguration { prepared.configuration }

  /// Performs one run in its folder, from wherever it stands: the `RunFunction` of real runs.
  public static func run(_ configuration: RunConfiguration, _ folder: RunFolder, _ control: RunControl) throws
    -> RunOutcome
  {
    do {
      try RunExecution(configuration, folder, control).execute()
      return .finished
    } catch RunEnd.stopped {
      return .stopped
    } catch RunEnd.diverged(let step) {
      return .diverged(step: step)
    }
  }

  private init(_ configuration: RunConfiguration, _ folder: RunFolder, _ control: RunControl) throws {
    prepared = try PreparedRun(configuration)
    self.folder = folder
    self.control = control
    checkpoints = RunCheckpoints(folder, steps: prepared.steps)
    networks = try RunNetworks(prepared)
    steps = prepared.steps
  }

  // MARK: Stages

  private func execute() throws {
    var (place, state) = try checkpoints.restore()
    try folder.rewind(metrics: place.metricsLength, results: place.resultsLength)
    for branch in place.branch..<max(place.branch, steps.branches.count) {
      let point = steps.branches[branch]
      if place.endpoint == nil {
        if branch == 0, state == nil { try loadStartingWeights() }
        let trunk = try trainTrunk(from: state, to: point, place: place)
        try checkpoints.write(trunk, at: point)
        place.endpoint = 0
        state = nil
        try checkpoints.save(nil, place)
      }
      let trunk = try checkpoints.trunk(at: point)
      for endpoint in (place.endpoint ?? 0)..<steps.endpoints {
        place.endpoint = endpoint
        let weights = try trainEndpoint(endpoint, from: trunk, resumed: state, place: place)
        state = nil
        try checkpoints.write(weights, at: point, endpoint: endpoint)
        place.endpoint = endpoint + 1
        try checkpoints.save(nil, place)
      }
      try measure(branch)
      place.branch = branch + 1
      place.endpoint = nil
      state = branch + 1 < steps.branches.count ? trunk : nil
      try checkpoints.save(state, place)
      // Only now does nothing refer to them any more.
      try checkpoints.discard(branchedAt: point)
    }
    // What a kill between the two left behind. The place itself stays: it says that nothing is left to do.
    for point in steps.branches { try checkpoints.discard(branchedAt: point) }
  }

  private func measure(_ branch: Int) throws {
    let point = steps.branches[branch]
    control.report(
      RunProgress(
        done: steps.done(before: steps.endpoints, of: branch), total: steps.total, phase: "merging at step \(point)"))
    let measurement = BranchEvaluation(
      prepared, networks, checkpoints, at: point, recording: folder.append,
      mayGoOn: { [control] in if control.shouldStop() { throw RunEnd.stopped } })
    if let predictions = try measurement.perform() { try checkpoints.write(predictions, at: point) }
    guard let wanted = configuration.measure.landscape, wanted.at == .all || point == steps.branches.last else {
      return
    }
    control.report(
      RunProgress(
        done: steps.done(before: steps.endpoints, of: branch), total: steps.total, phase: "landscape at step \(point)"))
    let landscape = LandscapeMeasurement(
      prepared, wanted, checkpoints, at: point,
      mayGoOn: { [control] in if control.shouldStop() { throw RunEnd.stopped } })
    try folder.write(landscape.perform())
  }

  private func trainTrunk(from state: TrainingState?, to end: Int, place: RunPlace) throws -> TrainingState {
    let network = networks.own
    let trainer = try prepared.trainer(of: network, state: state)
    let noiseEvery = configuration.measure.noise.map { max(1, $0.every.steps(stepsPerEpoch: steps.perEpoch)) }
    var noiseBatches = try prepared.batches(.noise)
    try train(trainer, phase: "trunk", to: end, rate: steps.schedule.trunkLearningRate, place: place) { step, rate in
      guard let noiseEvery, let noise = self.configuration.measure.noise, step % noiseEvery == 0 else { return }
      let measured = try GradientNoise(
        network, on: noiseBatches.batch(at: step), microbatches: noise.microbatches,
        loss: self.configuration.loss ?? CrossEntropy(), trained: self.configuration.trained,
        autocast: self.prepared.autocast)
      try self.folder.metrics.append(self.noiseRow(measured, step: step, rate: rate, norm: trainer.weightNorm()))
    }
    return try trainer.state()
  }

  private func trainEndpoint(_ endpoint: Int, from trunk: TrainingState, resumed: TrainingState?, place: RunPlace)
    throws
    -> Weights
  {
    let (point, plan) = (steps.branches[place.branch], steps.plans[endpoint])
    var start = trunk
    start.step = 0
    if let task = plan.task {
      // A new head has no momentum, and without it the body's would push into nothing.
      start = TrainingState(weights: try networks.start(trunk.weights.to(prepared.device), task: task))
    }
    if configuration.branch.initialisation == .own {
      start = TrainingState(weights: try prepared.makeNetwork(endpoint: endpoint).weights)
    }
    let trainer = try prepared.trainer(
      of: networks.network(task: plan.task), .endpoint(branch: point, index: endpoint), state: resumed ?? start)
    try train(trainer, phase: "endpoint", to: plan.steps, rate: plan.schedule.endpointLearningRate, place: place)
    return try trainer.state().weights
  }

  /// Advances to step `end`, recording every step and leaving something to resume from now and then.
  private func train(
    _ trainer: Trainer, phase: String, to end: Int, rate: (Int) -> Double, place: RunPlace,
    before: (_ step: Int, _ rate: Double) throws -> Void = { _, _ in }
  ) throws {
    let interval = max(1, configuration.checkpoints.every.steps(stepsPerEpoch: steps.perEpoch))
    let point = place.endpoint.map { _ in steps.branches[place.branch] }
    let doneBefore = place.endpoint.map { steps.done(before: $0, of: place.branch) } ?? place.branch * steps.perBranch
    let name = place.endpoint.map { "endpoint \($0 + 1) of step \(steps.branches[place.branch])" } ?? "trunk"
    while trainer.step < end {
      let step = trainer.step
      let learningRate = rate(step)
      try before(step, learningRate)
      let loss = try trainer.advance(learningRate: learningRate)
      try folder.metrics.append(
        StepRow(
          phase: phase, branch: point, endpoint: place.endpoint, step: step, epoch: epoch(step),
          learningRate: learningRate, loss: loss))
      guard loss.isFinite else { throw RunEnd.diverged(step: doneBefore + step) }
      control.report(RunProgress(done: doneBefore + trainer.step, total: steps.total, phase: name))
      let stops = control.shouldStop()
      if stops || (trainer.step % interval == 0 && trainer.step < end) { try checkpoints.save(trainer.state(), place) }
      if stops { throw RunEnd.stopped }
    }
  }

  private func epoch(_ step: Int) -> Double { Double(step) / Double(steps.perEpoch) }

  private func noiseRow(_ noise: GradientNoise, step: Int, rate: Double, norm: Double) -> MetricsNoiseRow {
    let proxy = NoiseScale.proxy(
      learningRate: rate, batchSize: configuration.batchSize, momentum: configuration.optimizer.momentum,
      exponent: configuration.measure.momentumExponent)
    return MetricsNoiseRow(
      NoiseRow(
        step: step, epoch: epoch(step), learningRate: rate, gradientNormSquared: noise.gradientNormSquared,
        traceCovariance: noise.traceCovariance, simpleNoiseScale: noise.simpleNoiseScale, weightNorm: norm,
        effectiveLearningRate: rate / (norm * norm), noiseScale: proxy * noise.traceCovariance))
  }
}

/// Ends a run before its end; not an error to anybody outside.
enum RunEnd: Error {
  case stopped
  case diverged(step: Int)
}
