import Schema

/// Endpoints that learn different things: one for every task and learning rate, in this order. Each has a head of its own, which is never
/// merged; pairs of different tasks are.
public struct TaskChoice: Codable, Hashable, Sendable {
  public var datasets: [NamedDataset]
  /// Peak learning rates; nil: the optimizer's.
  public var learningRates: [Double]?

  public init(datasets: [NamedDataset], learningRates: [Double]? = nil) {
    self.datasets = datasets
    self.learningRates = learningRates
  }

  public var endpoints: Int { datasets.count * (learningRates?.count ?? 1) }
}

extension TaskChoice {
  static let section = Section(TaskChoice(datasets: [])) {
    Key(
      "datasets", \.datasets, .list(of: .section(NamedDataset.section), "a list of mappings"), words: "must be given",
      "the tasks, from 2 to 16")
    Key(
      "learning_rates", \.learningRates, .list(of: .number(.above(0), "numbers above 0"), "a list of numbers above 0"),
      words: "the optimizer's", "peak learning rates, each of which makes an endpoint of every task")
  }
}

extension RunConfiguration {
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
        "has examples of \(task.dataset.inputShape), the run's own dataset of \(dataset.inputShape); one network has to take both (set `size`)"
      )
    }
    let rates = tasks.learningRates ?? [optimizer.learningRate]
    check.require(!rates.isEmpty, "tasks.learning_rates", "is empty; expected at least one, or leave it out")
    check.require(
      Set(rates).count == rates.count, "tasks.learning_rates", "names the same learning rate more than once")
    check.require(
      branch.endpoints == tasks.endpoints, "branch.endpoints",
      "is \(branch.endpoints), but there is one endpoint for each task and learning rate, \(tasks.endpoints); leave it out"
    )
    check.require(
      evaluate == nil, "evaluate", "belongs to runs without tasks, which are evaluated on their tasks' own test sets")
    check.require(
      predictions != true, "predictions",
      "belongs to runs without tasks: networks with different heads have no common classes")
  }
}
