import Schema

/// What keys that each are possible cannot be together.
extension RunConfiguration {
  /// Reports what is impossible about optimizer settings that each are possible.
  func checkOptimizer(_ check: inout ConfigurationCheck) {
    let isDecoupled: Bool
    switch optimizer {
    case .sgd(let sgd):
      isDecoupled = sgd.decoupledWeightDecay
      check.require(!sgd.nesterov || sgd.momentum > 0, "optimizer.nesterov", "needs a momentum above 0")
    case .adamW: isDecoupled = true
    }
    let product = optimizer.learningRate * optimizer.weightDecay
    check.require(
      !isDecoupled || product < 1, "optimizer.weight_decay",
      "times the learning rate is \(product); decoupled weight decay needs it below 1")
  }

  /// What belongs to which schedule.
  func checkSchedule(_ check: inout ConfigurationCheck) {
    let name = schedule.name
    func belongs(_ key: String, to owner: String, _ isGiven: Bool) {
      check.require(!isGiven, "schedule.\(key)", "belongs to \(owner); \(name.rawValue) has none")
    }
    if name == .constant { belongs("warmup", to: "warmup-stable-decay", schedule.warmup.value != 0) }
    if name != .warmupStableDecay { belongs("shape", to: "warmup-stable-decay", schedule.shape != nil) }
    guard name == .warmupCosine else {
      belongs("length", to: "warmup-cosine", schedule.length != nil)
      belongs("final", to: "warmup-cosine", schedule.final != nil)
      return
    }
    for (key, length) in [("stable", schedule.stable), ("decay", schedule.decay)] {
      check.require(
        length.value == 0, "schedule.\(key)",
        "belongs to schedules with a trunk; warmup-cosine has `length`, which is all that an endpoint trains")
    }
    for (key, length) in [("every", branch.every), ("from", branch.from)] {
      check.require(
        (length?.value ?? 0) == 0, "branch.\(key)",
        "is \(length?.description ?? ""), but warmup-cosine has no trunk: its endpoints branch at step 0; leave it out")
    }
  }

  /// Reports what is impossible about the tasks.
  func checkTasks(_ check: inout ConfigurationCheck) {
    guard let tasks else { return }
    check.require(
      (2...16).contains(tasks.datasets.count), "tasks.datasets",
      "has \(tasks.datasets.count) tasks; expected 2 … 16, each {name: …, dataset: {…}}")
    tasks.datasets.check(&check, at: "tasks.datasets")
    for (index, task) in tasks.datasets.enumerated() {
      let path = "tasks.datasets.\(index).dataset"
      let examples = task.dataset.trainingExamples
      check.require(
        batchSize <= max(1, examples), path,
        "has \(examples) training examples, fewer than the batch_size of \(batchSize)")
      check.require(
        task.dataset.inputShape == dataset.inputShape,
        path,
        "has examples of \(task.dataset.inputShape), the run's own dataset of \(dataset.inputShape); "
          + "one network has to take both (set `size`)"
      )
    }
    let rates = tasks.learningRates ?? [optimizer.learningRate]
    check.require(!rates.isEmpty, "tasks.learning_rates", "is empty; expected at least one, or leave it out")
    check.require(
      Set(rates).count == rates.count, "tasks.learning_rates", "names the same learning rate more than once")
    check.require(
      branch.endpoints == tasks.endpoints, "branch.endpoints",
      "is \(branch.endpoints), but there is one endpoint for each task and learning rate, \(tasks.endpoints); "
        + "leave it out"
    )
    check.require(
      evaluate == nil, "evaluate", "belongs to runs without tasks, which are evaluated on their tasks' own test sets")
    check.require(
      predictions != true, "predictions",
      "belongs to runs without tasks: networks with different heads have no common classes")
  }

  /// Reports what is impossible about the start.
  func checkStart(_ check: inout ConfigurationCheck) {
    guard let start else { return }
    check.require(
      (start.file == nil) != (start.pretrain == nil), "start",
      "has \(start.file == nil ? "neither" : "both"); expected one of {file: …} and {pretrain: {…}}")
    guard let pretraining, let pretrain = start.pretrain else { return }
    check.require(
      pretrain.dataset.inputShape == dataset.inputShape, "start.pretrain.dataset",
      "has examples of \(pretrain.dataset.inputShape), the run's own dataset of \(dataset.inputShape); "
        + "one network has to take both (set `size`)"
    )
    // What it shares with the run is reported there.
    let places = [
      "dataset": "dataset", "optimizer": "optimizer", "batch_size": "batch_size", "augmentation": "augmentation",
    ]
    for problem in pretraining.problems {
      let path = problem.keyPath.split(separator: ".", maxSplits: 1).map(String.init)
      if problem.keyPath == "schedule.length" || problem.keyPath == "schedule.warmup" {
        check.require(false, "start.pretrain.length", "is \(pretrain.length); expected a length of some steps")
      } else if let key = path.first.flatMap({ places[$0] }) {
        check.require(false, (["start.pretrain", key] + path.dropFirst()).joined(separator: "."), problem.message)
      }
    }
  }
}
