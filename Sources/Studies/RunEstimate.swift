/// What a run will take, from a short calibration of its training step and its evaluations on this machine.
public struct RunEstimate: Codable, Hashable, Sendable {
  /// Trainable numbers of the network.
  public var parameters: Int
  public var secondsPerStep: Double
  /// The whole test set once.
  public var secondsPerTest: Double
  /// The whole training set once, without augmentation.
  public var secondsPerTrainEvaluation: Double

  public init(parameters: Int, secondsPerStep: Double, secondsPerTest: Double, secondsPerTrainEvaluation: Double) {
    self.parameters = parameters
    self.secondsPerStep = secondsPerStep
    self.secondsPerTest = secondsPerTest
    self.secondsPerTrainEvaluation = secondsPerTrainEvaluation
  }

  /// Seconds for the training steps and, at each branch point, the evaluation of every endpoint and of every pair's merges.
  public func seconds(_ configuration: RunConfiguration) -> Double {
    let steps = configuration.steps()
    let pairs = steps.endpoints * (steps.endpoints - 1) / 2
    let singles = Double(steps.endpoints) * (secondsPerTest + secondsPerTrainEvaluation)
    let merges = Double(pairs * configuration.merge.alphas.count) * secondsPerTest
    return Double(steps.total) * secondsPerStep + Double(steps.branches.count) * (singles + merges)
  }
}

extension RunConfiguration {
  /// The part of the configuration that decides how long a step takes; runs that share it need one calibration.
  public var workload: RunConfiguration {
    RunConfiguration(
      dataset: dataset, model: model, batchSize: batchSize, augmentation: augmentation, precision: precision,
      device: device)
  }
}
