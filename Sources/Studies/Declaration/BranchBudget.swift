import Training

extension RunConfiguration {
  /// Epochs of warmup, constant learning rate and decay together: the budget T of an endpoint, trunk included.
  public var budgetInEpochs: Double { epochs(schedule.warmup) + epochs(schedule.stable) + epochs(schedule.decay) }

  /// Epochs before which a run cannot branch, since the learning rate still rises.
  public var warmupInEpochs: Double { epochs(schedule.warmup) }

  private func epochs(_ length: TrainingLength) -> Double {
    switch length {
    case .epochs(let epochs): epochs
    case .steps(let steps): Double(steps) / Double(self.steps().perEpoch)
    }
  }

  /// The same run with a single branch point at epoch T_a, whose endpoints train for the rest of the budget T (the
  /// paper's Figure 24).
  ///
  /// - Parameters:
  ///   - branchEpoch: T_a, from the end of the warmup up to less than T
  ///   - budget: T, epochs
  public func branching(atEpoch branchEpoch: Double, budget: Double) -> RunConfiguration {
    var result = self
    let warmup = warmupInEpochs
    result.schedule.stable = .epochs(branchEpoch - warmup)
    result.schedule.decay = .epochs(budget - branchEpoch)
    result.branch.every = nil
    result.branch.from = nil
    result.checkpoints.keep = .endpoints
    // The path between the endpoints is measured instead.
    result.merge.alphas = [0.5]
    result.merge.methods = nil
    result.merge.groups = nil
    result.predictions = nil
    return result
  }
}
