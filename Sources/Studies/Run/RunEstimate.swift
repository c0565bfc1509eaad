import Torch
import Training

/// What a run will take, from a short calibration of its training step and its evaluations on this machine.
public struct RunEstimate: Codable, Hashable, Sendable {
  /// Trainable numbers of the network.
  public var parameters: Int
  /// One optimizer step, the median of several.
  public var secondsPerStep: Double
  /// The whole test set once.
  public var secondsPerTest: Double
  /// The whole training set once, without augmentation.
  public var secondsPerTrainEvaluation: Double

  /// Times a few steps of training and some evaluation of a run on this machine.
  ///
  /// - Throws: as `PreparedRun`, and `TorchError`
  public init(measuring configuration: RunConfiguration, threads: Int) throws {
    Libtorch.setThreads(threads)
    let prepared = try PreparedRun(configuration)
    let network = try prepared.makeNetwork()
    let trainer = try prepared.trainer(of: network)
    let clock = ContinuousClock()
    func seconds(_ body: () throws -> Void) rethrows -> Double {
      let passed = try clock.measure(body).components
      return Double(passed.seconds) + Double(passed.attoseconds) * 1e-18
    }
    // The first steps choose algorithms and allocate.
    for _ in 0..<3 { _ = try trainer.advance(learningRate: 0) }
    var steps: [Double] = []
    while steps.count < 5 || (steps.count < 50 && steps.reduce(0, +) < 0.5) {
      steps.append(try seconds { _ = try trainer.advance(learningRate: 0) })
    }
    let sample = 0..<min(1000, prepared.test.count)
    let evaluation = try seconds {
      try withoutGradients {
        let size = try prepared.test.evaluationBatchSize()
        for start in stride(from: 0, to: sample.count, by: size) {
          _ = try network(prepared.test.batch(start..<min(start + size, sample.count)).inputs, .evaluation)
        }
      }
    }
    let perExample = evaluation / Double(sample.count)
    let trained = network.parameters().filter(\.parameter.isTrainable)
    parameters = trained.reduce(0) { $0 + $1.parameter.value.count }
    secondsPerStep = steps.sorted()[steps.count / 2]
    secondsPerTest = perExample * Double(prepared.test.count)
    secondsPerTrainEvaluation = perExample * Double(prepared.train.count)
  }

  /// Seconds for the training steps of one endpoint, without any evaluation: what a pretraining takes.
  public func trainingSeconds(_ configuration: RunConfiguration) -> Double {
    Double(configuration.trainingSteps) * secondsPerStep
  }

  /// Seconds for the training steps and, at each branch point, the evaluation of every endpoint and of every merge on
  /// every test set, all taken to be as large as the run's own.
  public func seconds(_ configuration: RunConfiguration) -> Double {
    let steps = configuration.steps()
    let testSets = Double(1 + (configuration.evaluate?.count ?? 0))
    let singles = Double(steps.endpoints) * (secondsPerTest * testSets + secondsPerTrainEvaluation)
    let merges = Double(configuration.mergesPerBranch) * secondsPerTest * testSets
    return Double(steps.total) * secondsPerStep + Double(steps.branches.count) * (singles + merges)
  }
}

extension RunConfiguration {
  /// Merged networks that are evaluated at each branch point; of tasks once with each head.
  var mergesPerBranch: Int {
    let count = branch.endpoints
    let rates = tasks.map { $0.learningRates?.count ?? 1 } ?? 0
    // Of two endpoints of one task there is no merge.
    let pairs = count * (count - 1) / 2 - (tasks?.datasets.count ?? 0) * rates * (rates - 1) / 2
    let groups = merge.groups ?? [.pairs]
    return (merge.methods ?? [.usual]).reduce(0) { sum, method in
      sum + groups.reduce(0) { sum, group in
        let models = group == .pairs ? 2 : count
        return sum + (group == .pairs ? pairs : 1) * method.alphas(merge.alphas, models: models).count
      } * (tasks == nil ? 1 : 2)
    }
  }

  /// Steps of the trunk and of one endpoint.
  public var trainingSteps: Int {
    let steps = steps()
    return steps.trunk + steps.endpoint
  }

  /// The part of the configuration that decides how long a step takes; runs that share it need one calibration.
  public var workload: RunConfiguration {
    RunConfiguration(
      dataset: dataset, model: model, batchSize: batchSize, augmentation: augmentation, precision: precision,
      device: device)
  }
}
