import Checkpoints
import Foundation
import Merging
import Networks
import Torch
import Training

/// One run from scratch to results (paper, protocol A): a trunk at constant learning rate; at each branch point endpoints that decay with
/// data orders of their own; every pair of them merged and compared with its parts.
///
/// Where it stands is `checkpoints/resume.safetensors`, written every so often: the state in training, its place in the run, and the
/// lengths that the row files had. What that place refers to (the trunk at the branch point, endpoints done) is written before. A
/// run that was killed goes back to it and, data order and augmentation being functions of the step, ends with the same bytes.
final class RunExecution {
  private let setting: RunSetting
  private let folder: RunFolder
  private let control: RunControl
  private let network: any Module
  private let steps: RunSteps
  private let hasBatchNorm: Bool
  private var configuration: RunConfiguration { setting.configuration }

  /// A place in the run.
  private struct Place: Codable {
    /// Which branch point comes next or is being worked on.
    var branch = 0
    /// nil: on the trunk. The number of endpoints: at merging.
    var endpoint: Int?
    var metricsLength = 0
    var resultsLength = 0
  }

  /// Stops the run; not an error to anybody else.
  private enum End: Error {
    case stopped
    case diverged(step: Int)
  }

  static func run(_ configuration: RunConfiguration, _ folder: RunFolder, _ control: RunControl) throws -> RunOutcome {
    do {
      try RunExecution(configuration, folder, control).execute()
      return .finished
    } catch End.stopped {
      return .stopped
    } catch End.diverged(let step) {
      return .diverged(step: step)
    }
  }

  private init(_ configuration: RunConfiguration, _ folder: RunFolder, _ control: RunControl) throws {
    setting = try RunSetting(configuration)
    self.folder = folder
    self.control = control
    network = try setting.makeNetwork()
    hasBatchNorm = network.hasBatchNorm
    steps = setting.steps
  }

  // MARK: Stages

  private func execute() throws {
    var (place, state) = try restore()
    try folder.rewind(metrics: place.metricsLength, results: place.resultsLength)
    for branch in place.branch..<max(place.branch, steps.branches.count) {
      let point = steps.branches[branch]
      if place.endpoint == nil {
        let trunk = try trainTrunk(from: state, to: point, place: place)
        try write(trunk, trunkPath(point))
        place.endpoint = 0
        state = nil
        try save(nil, place)
      }
      let trunk = try readable { try TrainingState.read(trunkPath(point)).state }
      for endpoint in (place.endpoint ?? 0)..<steps.endpoints {
        place.endpoint = endpoint
        let weights = try trainEndpoint(endpoint, from: trunk, resumed: state, place: place)
        state = nil
        try Safetensors.write(weights, metadata: metadata, to: endpointPath(point, endpoint))
        place.endpoint = endpoint + 1
        try save(nil, place)
      }
      try measure(branchedAt: point, place: place)
      place.branch = branch + 1
      place.endpoint = nil
      state = branch + 1 < steps.branches.count ? trunk : nil
      try save(state, place)
      // Only now does nothing refer to them any more.
      try discard(branchedAt: point)
    }
    // What a kill between the two left behind. The place itself stays: it says that nothing is left to do.
    for point in steps.branches { try discard(branchedAt: point) }
  }

  private func trainTrunk(from state: TrainingState?, to end: Int, place: Place) throws -> TrainingState {
    let trainer = try setting.trainer(of: network, state: state)
    let noiseEvery = configuration.measure.noise.map { max(1, $0.every.steps(stepsPerEpoch: steps.perEpoch)) }
    var noiseBatches = try setting.noiseBatches()
    try train(trainer, phase: "trunk", to: end, rate: steps.schedule.trunkLearningRate, place: place) { step, rate in
      guard let noiseEvery, let noise = self.configuration.measure.noise, step % noiseEvery == 0 else { return }
      let measured = try GradientNoise(
        self.network, on: noiseBatches.batch(at: step), microbatches: noise.microbatches,
        loss: self.configuration.loss ?? CrossEntropy(), trained: self.configuration.trained,
        autocast: self.setting.autocast)
      try self.folder.metrics.append(self.noiseRow(measured, step: step, rate: rate, norm: trainer.weightNorm()))
    }
    return try trainer.state()
  }

  private func trainEndpoint(_ endpoint: Int, from trunk: TrainingState, resumed: TrainingState?, place: Place) throws
    -> Weights
  {
    let point = steps.branches[place.branch]
    var start = trunk
    start.step = 0
    let trainer = try setting.trainer(of: network, endpoint: (point, endpoint), state: resumed ?? start)
    try train(
      trainer, phase: "endpoint", to: steps.endpoint, rate: steps.schedule.endpointLearningRate, place: place)
    return try trainer.state().weights
  }

  /// Advances to step `end`, recording every step and leaving something to resume from now and then.
  private func train(
    _ trainer: Trainer, phase: String, to end: Int, rate: (Int) -> Double, place: Place,
    before: (_ step: Int, _ rate: Double) throws -> Void = { _, _ in }
  ) throws {
    let interval = max(1, configuration.checkpoints.every.steps(stepsPerEpoch: steps.perEpoch))
    let isEndpoint = place.endpoint != nil
    let point = isEndpoint ? steps.branches[place.branch] : nil
    let doneBefore =
      isEndpoint
      ? steps.branches[place.branch] + (place.branch * steps.endpoints + (place.endpoint ?? 0)) * steps.endpoint
      : place.branch * steps.endpoints * steps.endpoint
    let name = isEndpoint ? "endpoint \((place.endpoint ?? 0) + 1) of step \(steps.branches[place.branch])" : "trunk"
    while trainer.step < end {
      let step = trainer.step
      let learningRate = rate(step)
      try before(step, learningRate)
      let loss = try trainer.advance(learningRate: learningRate)
      try folder.metrics.append(
        StepRow(
          phase: phase, branch: point, endpoint: place.endpoint, step: step, epoch: epoch(step),
          learningRate: learningRate, loss: loss))
      guard loss.isFinite else { throw End.diverged(step: doneBefore + step) }
      control.report(RunProgress(done: doneBefore + trainer.step, total: steps.total, phase: name))
      let stops = control.shouldStop()
      if stops || (trainer.step % interval == 0 && trainer.step < end) { try save(trainer.state(), place) }
      if stops { throw End.stopped }
    }
  }

  /// Evaluates the singles and every pair's merges at a branch point.
  private func measure(branchedAt point: Int, place: Place) throws {
    control.report(
      RunProgress(
        done: point + (place.branch + 1) * steps.endpoints * steps.endpoint, total: steps.total,
        phase: "merging at step \(point)"))
    var singles: [(weights: Weights, test: Evaluation)] = []
    for endpoint in 0..<steps.endpoints {
      let weights = try readable { try Safetensors.read(endpointPath(point, endpoint)).weights }
        .to(setting.train.device)
      try stand(at: weights)
      let test = try Evaluation(network, on: setting.test)
      let train = try Evaluation(network, on: setting.train)
      singles.append((weights, test))
      try folder.append(
        ResultRow(
          kind: .single, epoch: epoch(point), step: point, endpoints: [endpoint], testAccuracy: test.accuracy,
          testLoss: test.loss, trainLoss: train.loss, trainAccuracy: train.accuracy, weightNorm: weightNorm()))
    }
    for first in 0..<steps.endpoints {
      for second in (first + 1)..<max(first + 1, steps.endpoints) {
        for alpha in configuration.merge.alphas {
          if control.shouldStop() { throw End.stopped }
          let pair = [singles[first], singles[second]]
          try stand(at: linearMerge(pair.map(\.weights), coefficients: [1 - alpha, alpha]))
          if hasBatchNorm, configuration.merge.batchNorm == .reestimate {
            try reestimateBatchNorm(
              of: network, on: setting.batches(), examples: configuration.merge.batchNormSamples)
          }
          let test = try Evaluation(network, on: setting.test)
          let gain = Gain(of: test, over: pair.map(\.test))
          try folder.append(
            ResultRow(
              kind: .merged, epoch: epoch(point), step: point, endpoints: [first, second], method: "linear",
              alpha: alpha, batchNorm: hasBatchNorm ? configuration.merge.batchNorm.rawValue : nil,
              testAccuracy: test.accuracy, testLoss: test.loss, weightNorm: weightNorm(),
              singleAccuracy: pair.map(\.test.accuracy).reduce(0, +) / 2,
              singleLoss: pair.map(\.test.loss).reduce(0, +) / 2, accuracyGain: gain.accuracy,
              accuracyGainError: gain.accuracyError, lossGain: gain.loss, lossGainError: gain.lossError))
        }
      }
    }
  }

  /// Puts the network at a point; convolutions get their channels innermost again.
  private func stand(at weights: Weights) throws {
    try network.load(weights)
    try network.move(to: setting.train.device, format: .channelsLast)
  }

  private func weightNorm() throws -> Double {
    try Weights(network.parameters().filter(\.parameter.isTrainable).map { ($0.name, $0.parameter.value) }).norm()
  }

  private func epoch(_ step: Int) -> Double { Double(step) / Double(steps.perEpoch) }

  // MARK: Files

  private var resumePath: String { path("resume") }
  private func trunkPath(_ point: Int) -> String { path("trunk-\(point)") }
  private func endpointPath(_ point: Int, _ index: Int) -> String { path("endpoint-\(point)-\(index)") }
  private func path(_ name: String) -> String {
    folder.checkpoints.appendingPathComponent(name + ".safetensors").path
  }

  /// What a checkpoint says of itself.
  private var metadata: [String: String] { ["run": configuration.id, "format": "pt"] }

  private func write(_ state: TrainingState, _ path: String) throws {
    try folder.checkOwnership()
    try state.write(to: path, metadata: metadata)
  }

  /// Writes where the run stands; `state` is what is in training, if anything is.
  private func save(_ state: TrainingState?, _ place: Place) throws {
    try folder.checkOwnership()
    try folder.metrics.synchronise()
    var place = place
    place.metricsLength = folder.metrics.length
    place.resultsLength = folder.results.length
    let encoder = JSONEncoder()
    // The same place, the same bytes.
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(place), as: UTF8.self)
    try (state ?? TrainingState(weights: Weights())).write(
      to: resumePath, metadata: metadata.merging(["place": text]) { $1 })
  }

  private func restore() throws -> (Place, TrainingState?) {
    guard FileManager.default.fileExists(atPath: resumePath) else { return (Place(), nil) }
    let (state, metadata) = try readable { try TrainingState.read(resumePath) }
    guard let text = metadata["place"], let place = try? JSONDecoder().decode(Place.self, from: Data(text.utf8)),
      metadata["run"] == configuration.id
    else {
      throw CheckpointError(
        resumePath, "does not say where run \(configuration.id) stands; delete it and the run starts over")
    }
    return (place, state.weights.isEmpty ? nil : state)
  }

  /// Adds to an error about a checkpoint what to do: none is ever half-written, so the disk or somebody else has damaged it.
  private func readable<Value>(_ read: () throws -> Value) throws -> Value {
    do {
      return try read()
    } catch let error as CheckpointError {
      throw CheckpointError(
        error.path,
        "\(error.message); the file was damaged after it was written. Delete \(folder.checkpoints.path) and the run starts over, "
          + "to the same results")
    }
  }

  /// Removes the checkpoints that the configuration does not keep.
  private func discard(branchedAt point: Int) throws {
    let keep = configuration.checkpoints.keep
    if keep == .trunk || keep == .none {
      for endpoint in 0..<steps.endpoints { try remove(endpointPath(point, endpoint)) }
    }
    if keep == .endpoints || keep == .none { try remove(trunkPath(point)) }
  }

  private func remove(_ path: String) throws {
    if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
  }

  // MARK: Rows

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

/// A training step in `metrics.jsonl`.
private struct StepRow: Encodable {
  let phase: String
  let branch: Int?
  let endpoint: Int?
  let step: Int
  let epoch: Double
  let learningRate: Double
  let loss: Double
}

/// A noise measurement in `metrics.jsonl`.
private struct MetricsNoiseRow: Encodable {
  let row: NoiseRow
  init(_ row: NoiseRow) { self.row = row }

  private enum Key: String, CodingKey { case kind, phase }

  func encode(to encoder: any Encoder) throws {
    try row.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encode("noise", forKey: .kind)
    try container.encode("trunk", forKey: .phase)
  }
}
