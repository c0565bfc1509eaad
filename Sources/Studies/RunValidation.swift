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
    check.range(batchSize, 1...ConfigurationCheck.most, "batch_size")
    check.require(
      batchSize <= max(1, dataset.trainingExamples), "batch_size",
      "is \(batchSize), larger than the training set of \(dataset.trainingExamples) examples")
    check.require(
      !model.name.hasBatchNorm || batchSize != 1, "batch_size",
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
    let name = model.name.rawValue
    if model.name == .mlp {
      for (key, isGiven) in [
        ("blocks", model.blocks != nil), ("width", model.width != nil), ("stem", model.stem != nil),
      ] {
        check.require(!isGiven, "model.\(key)", "belongs to the residual networks; an mlp has `hidden`")
      }
      let hidden = model.hidden ?? []
      check.require(hidden.count <= 64, "model.hidden", "has \(hidden.count) layers; expected at most 64")
      check.require(
        hidden.allSatisfy { (1...65_536).contains($0) }, "model.hidden", "expected layer widths between 1 and 65536")
      return
    }
    check.require(model.hidden == nil, "model.hidden", "belongs to the mlp; \(name) has `width`")
    check.range(model.width, 1...4096, "model.width")
    check.require(model.stem == nil || model.name.hasStem, "model.stem", "cannot be chosen for \(name); leave it out")
    guard let usual = model.name.usualBlocks else {
      check.require(model.blocks == nil, "model.blocks", "cannot be chosen for \(name); leave it out")
      checkSmallPictures(&check)
      return
    }
    let blocks = model.blocks ?? []
    check.require((1...4).contains(blocks.count), "model.blocks", "has \(blocks.count) stages; expected 1 … 4")
    check.require(
      blocks.allSatisfy { (1...200).contains($0) }, "model.blocks", "expected between 1 and 200 blocks in each stage")
    check.require(
      model.name == .resnet || blocks == usual, "model.blocks",
      "cannot be changed for \(name); use `name: resnet` with your own blocks")
  }

  /// Networks that halve the picture without padding need something left to halve.
  private func checkSmallPictures(_ check: inout ConfigurationCheck) {
    let least = model.name.isVGG || model.stem == .imagenet ? 32 : 8
    check.require(
      dataset.pictureSize >= least, "model.name",
      "is \(model.name.rawValue), which needs pictures of at least \(least) pixels; these have \(dataset.pictureSize)")
    check.require(
      model.name.isVGG || (model.width ?? 0) % 2 == 0, "model.width",
      "is \(model.width ?? 0); \(model.name.rawValue) needs an even one, twice its growth")
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
      isCosine || steps.schedule.trunkSteps > 0, "schedule.stable",
      "makes a trunk of 0 steps; expected a longer warmup or stable phase")
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
    check.require(steps.branches.count < 10_000, "branch.every", "makes \(steps.branches.count) or more branch points")
  }

  private func checkMeasures(_ check: inout ConfigurationCheck) {
    merge.check(&check, endpoints: branch.endpoints, hasTasks: tasks != nil)
    check.range(measure.noise?.microbatches, 2...1024, "measure.noise.microbatches")
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
