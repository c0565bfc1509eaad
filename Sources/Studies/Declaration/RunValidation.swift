import Training

/// A value of a configuration that cannot be: where, and what was expected.
public struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
  /// Dotted, as in `study.yaml`, such as `optimizer.learning_rate`.
  public let keyPath: String
  public let message: String

  public var description: String { "\(keyPath): \(message)" }
}

/// A configuration that cannot be run, with everything that is wrong with it.
public struct InvalidConfiguration: Error, CustomStringConvertible {
  public let problems: [ConfigurationProblem]

  public var description: String {
    "the run's configuration cannot be run:\n" + problems.map { "  \($0)" }.joined(separator: "\n")
  }
}

extension RunConfiguration {
  /// Throws `InvalidConfiguration` unless the run is possible.
  public func validate() throws {
    let problems = problems
    if !problems.isEmpty { throw InvalidConfiguration(problems: problems) }
  }

  /// Everything impossible about this configuration; empty when it can be run.
  public var problems: [ConfigurationProblem] {
    var check = ConfigurationCheck()
    checkData(&check)
    checkModel(&check)
    checkOptimizer(&check)
    checkSchedule(&check)
    checkLengths(&check)
    checkMeasures(&check)
    checkTasks(&check)
    checkStart(&check)
    return check.problems
  }

  private func checkData(_ check: inout ConfigurationCheck) {
    dataset.check(&check, at: "dataset")
    for (index, test) in (evaluate ?? []).enumerated() {
      let path = "evaluate.\(index).dataset"
      check.require(
        test.dataset.classCount == dataset.classCount, path,
        "has \(test.dataset.classCount) classes and the run's own dataset \(dataset.classCount); expected the same")
    }
    evaluate?.check(&check, at: "evaluate")
    check.range(augmentation.crop, 0...max(0, dataset.pictureSize - 1), "augmentation.crop")
    check.require(
      augmentation.crop == 0 || !dataset.isResizedOnLoad && augmentation.resizedCrop == nil, "augmentation.crop",
      "pads small pictures in memory; with resized crops, and pictures resized on load, it has to be 0")
    if let problem = augmentation.resizedCrop?.problem {
      check.require(false, "augmentation.resized_crop", "has a wrong number: \(problem)")
    }
    check.require(
      dataset.name.count(.train) != 0, "dataset.name",
      "is \(dataset.name.rawValue), which has test examples only; name it under `evaluate`")
    check.range(batchSize, 1...ConfigurationCheck.most, "batch_size")
    check.require(
      batchSize <= max(1, dataset.trainingExamples), "batch_size",
      "is \(batchSize), larger than the training set of \(dataset.trainingExamples) examples")
    check.require(
      !model.name.declaration.hasBatchNorm || batchSize != 1, "batch_size",
      "is 1, but BatchNorm needs at least 2 examples in a batch")
    for (name, seed) in [
      ("initialisation", seeds.initialisation), ("order", seeds.order), ("augmentation", seeds.augmentation),
    ] {
      check.require(seed >= 0, "seeds.\(name)", "is \(seed); expected a whole number, 0 or more")
    }
    let index = device.hasPrefix("cuda:") ? Int(device.dropFirst(5)) : nil
    check.require(
      device == "cpu" || device == "cuda" || (index ?? -1) >= 0, "device",
      "is \"\(device)\"; expected cpu, cuda or cuda:N")
  }

  private func checkModel(_ check: inout ConfigurationCheck) {
    for problem in model.problems(input: dataset.inputShape) {
      check.require(false, "model.\(problem.key)", problem.message)
    }
  }

  private func checkLengths(_ check: inout ConfigurationCheck) {
    func length(_ length: TrainingLength?, atLeastOne: Bool, _ keyPath: String) {
      guard let length else { return }
      let isFinite = length.value.isFinite && length.value >= 0
      check.require(
        isFinite && (!atLeastOne || length.value > 0), keyPath,
        "is \(length); expected a length \(atLeastOne ? "above 0" : "of 0 or more"), such as 5 epochs or 200 steps")
      check.require(
        length.value < 10_000_000, keyPath, "is \(length), which no run would finish; expected less than 10 million")
    }
    length(schedule.warmup, atLeastOne: false, "schedule.warmup")
    length(schedule.stable, atLeastOne: false, "schedule.stable")
    let isCosine = schedule.name == .warmupCosine
    length(schedule.decay, atLeastOne: !isCosine, "schedule.decay")
    length(schedule.length, atLeastOne: true, "schedule.length")
    length(branch.every, atLeastOne: true, "branch.every")
    length(branch.from, atLeastOne: false, "branch.from")
    length(checkpoints.every, atLeastOne: true, "checkpoints.every")
    length(measure.noise?.every, atLeastOne: true, "measure.noise.every")
    check.range(branch.endpoints, 2...64, "branch.endpoints")
    guard check.problems.isEmpty else { return }
    let steps = steps()
    check.require(
      isCosine || start != nil || branch.from?.value == 0 || steps.schedule.trunkSteps > 0, "schedule.stable",
      "makes a trunk of 0 steps; expected a longer warmup or stable phase, a `start`, or `branch: {from: 0}`")
    check.require(
      steps.endpoint > 0, isCosine ? "schedule.length" : "schedule.decay",
      "is \(schedule.length ?? schedule.decay), less than one step of \(steps.perEpoch) an epoch; endpoints need at "
        + "least one step")
    check.require(
      !isCosine || steps.schedule.endpointWarmupSteps < steps.endpoint, "schedule.warmup",
      "is \(schedule.warmup), which leaves nothing of the length of \(schedule.length ?? .zero) to the cosine")
    check.require(
      !steps.branches.isEmpty, branch.from == nil ? "branch.every" : "branch.from",
      "leaves no branch point: the trunk (warmup and stable) has \(steps.schedule.trunkSteps) steps, "
        + "\(steps.perEpoch) an epoch")
    check.require(
      branch.initialisation != .own || steps.branches == [0] && start == nil && tasks == nil, "branch.initialisation",
      "is own, which is for runs whose endpoints start from nothing: a warmup-cosine schedule, no `start`, no `tasks`")
    check.require(steps.branches.count < 10_000, "branch.every", "makes \(steps.branches.count) or more branch points")
  }

  private func checkMeasures(_ check: inout ConfigurationCheck) {
    merge.check(&check, endpoints: branch.endpoints, hasTasks: tasks != nil)
    check.range(measure.noise?.microbatches, 2...1024, "measure.noise.microbatches")
    measure.landscape?.check(&check, hasTasks: tasks != nil)
    check.require(
      (1...2).contains(measure.momentumExponent), "measure.momentum_exponent",
      "is \(measure.momentumExponent); expected 1 or 2")
  }
}

/// Collects what is impossible about a configuration.
struct ConfigurationCheck {
  /// No count in a configuration is larger than this.
  static let most = 1_000_000_000

  var problems: [ConfigurationProblem] = []

  mutating func require(_ holds: Bool, _ keyPath: String, _ message: @autoclosure () -> String) {
    if !holds { problems.append(ConfigurationProblem(keyPath: keyPath, message: message())) }
  }

  mutating func range(_ value: Int?, _ bounds: ClosedRange<Int>, _ keyPath: String) {
    guard let value else { return }
    let wanted =
      bounds.upperBound >= Self.most
      ? (bounds.lowerBound == 0 ? "a whole number, 0 or more" : "a whole number of at least \(bounds.lowerBound)")
      : "a whole number between \(bounds.lowerBound) and \(bounds.upperBound)"
    require(bounds.contains(value), keyPath, "is \(value); expected \(wanted)")
  }
}
