import Schema
import Training

/// A configuration that cannot be run, with everything that is wrong with it.
public struct InvalidConfiguration: Error, CustomStringConvertible {
  /// Everything that is wrong.
  public let problems: [ConfigurationProblem]

  /// One problem a line.
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
    var check = ConfigurationCheck(problems: Self.section.problems(self) + Seeds.section.problems(seeds, at: "seeds"))
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
    check.require(
      batchSize <= max(1, dataset.trainingExamples), "batch_size",
      "is \(batchSize), larger than the training set of \(dataset.trainingExamples) examples")
    check.require(
      !model.name.declaration.hasBatchNorm || batchSize != 1, "batch_size",
      "is 1, but BatchNorm needs at least 2 examples in a batch")
  }

  private func checkModel(_ check: inout ConfigurationCheck) {
    for problem in model.problems(input: dataset.inputShape) {
      check.require(false, "model.\(problem.key)", problem.message)
    }
  }

  private func checkLengths(_ check: inout ConfigurationCheck) {
    let isCosine = schedule.name == .warmupCosine
    if !isCosine {
      for problem in Kind.length(isPositive: true).problems(schedule.decay, at: "schedule.decay") { check.add(problem) }
    }
    // What is wrong elsewhere does not keep the run from being counted in steps.
    let apart = ["measure", "merge", "start", "tasks"]
    guard check.problems.allSatisfy({ apart.contains($0.keyPath.prefix { $0 != "." }.description) }) else { return }
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
    measure.landscape?.check(&check, hasTasks: tasks != nil)
  }
}
