import Schema

/// Endpoints that learn different things: one for every task and learning rate, in this order. Each has a head of its
/// own, which is never merged; pairs of different tasks are.
public struct TaskChoice: Codable, Hashable, Sendable {
  /// What the tasks are to learn, 2 … 16 of them.
  public var datasets: [NamedDataset]
  /// Peak learning rates; nil: the optimizer's.
  public var learningRates: [Double]?

  /// - Parameter learningRates: nil: the optimizer's alone
  public init(datasets: [NamedDataset], learningRates: [Double]? = nil) {
    self.datasets = datasets
    self.learningRates = learningRates
  }

  /// One for each task and learning rate.
  public var endpoints: Int { datasets.count * (learningRates?.count ?? 1) }
}

extension TaskChoice {
  static let section = Section(TaskChoice(datasets: [])) {
    Key(
      "datasets", \.datasets, .list(of: .section(NamedDataset.section), "a list of mappings"), words: "required",
      "the tasks, from 2 to 16")
    Key(
      "learning_rates", \.learningRates, .list(of: .number(.above(0), "numbers above 0"), "a list of numbers above 0"),
      words: "the optimizer's", "peak learning rates, each of which makes an endpoint of every task")
  }
}
