import Checkpoints
import Datasets
import Merging
import Networks
import Torch
import Weights

/// Models, the data that a method looks at, and networks to look with.
///
/// Either all models have one task, or each its own. Then their heads (classifiers) are each model's own too: they are
/// part of no merge, and stand at the end of the merged body whenever a network runs on their task.
public struct DataMerge {
  /// Data and a network for it, which the merge puts where it needs it, and back where it stood.
  public struct Task {
    /// What messages call it.
    public let name: String
    /// Its weights are overwritten.
    public let network: any Module
    /// What the method looks at.
    public let data: any ExampleSource
    /// Batches to measure BatchNorm's statistics on.
    public let batches: (any BatchStream)?

    /// A network and the data to run it on.
    public init(name: String, network: any Module, data: any ExampleSource, batches: (any BatchStream)? = nil) {
      (self.name, self.network, self.data, self.batches) = (name, network, data, batches)
    }
  }

  /// What is merged: the models' tensors without heads of their own.
  public let models: [Weights]
  /// What they were fine-tuned from, where the method takes it.
  public let base: Weights?
  /// One for all models, or one each.
  public let tasks: [Task]
  /// The heads by task; empty weights where the models share a head, which is then merged like everything else.
  public let heads: [Weights]
  /// The values of the method's parameters.
  public let settings: MergeSettings
  /// What random numbers follow from.
  public let seed: UInt64
  /// How many examples BatchNorm's statistics are measured on before a point is judged; nil: they are averaged.
  public let batchNormExamples: Int?
  /// Told what is under way, how much of it is done, and how much there is.
  public let progress: (_ what: String, _ done: Int, _ total: Int) -> Void

  /// Models and what a method needs to look at them with.
  ///
  /// - Parameters:
  ///   - models: under the network's names, heads included
  ///   - base: the same; its head does not matter where the models have their own
  ///   - tasks: one for all models, or one each
  ///   - method: the method's declaration
  ///   - settings: the values of its parameters
  ///   - seed: what random numbers follow from
  ///   - batchNormExamples: on how many examples BatchNorm's statistics are measured; 0 is all, nil averages them
  ///   - progress: told what is under way, how much of it is done, and how much there is
  /// - Throws: `MergeError` and `FileError` for models that do not fit together.
  public init(
    _ models: [Weights], base: Weights?, tasks: [Task], method: MergeMethod, settings: MergeSettings, seed: UInt64 = 0,
    batchNormExamples: Int? = nil, progress: @escaping (String, Int, Int) -> Void = { _, _, _ in }
  ) throws {
    try method.requireInputs(models: models.count, hasBase: base != nil)
    guard let first = models.first, let prefix = tasks.first?.network.headPrefix else {
      throw MergeError("there is nothing to merge")
    }
    guard tasks.count == 1 || tasks.count == models.count else {
      throw MergeError(
        "\(models.count) models and \(tasks.count) datasets: give one dataset for all models, or one each")
    }
    if let task = tasks.first(where: { $0.data.count == 0 }) { throw MergeError("\(task.name): has no examples") }
    func isHead(_ name: String) -> Bool { name.hasPrefix(prefix) }
    let ownHeads = tasks.count > 1
    func body(_ weights: Weights) -> Weights { ownHeads ? weights.filter { name, _ in !isHead(name) } : weights }
    for model in models.dropFirst() + (base.map { [$0] } ?? []) {
      try body(first).requireSameLayout(as: body(model))
    }
    // Points are written to while BatchNorm's statistics are measured: nothing is shared with the caller.
    self.models = try models.map { try body($0).clone() }
    self.base = try base.map { try body($0).clone() }
    heads = try tasks.indices.map { ownHeads ? try models[$0].filter { name, _ in isHead(name) }.clone() : Weights() }
    (self.tasks, self.settings, self.seed, self.progress) = (tasks, settings, seed, progress)
    self.batchNormExamples = tasks[0].network.hasBatchNorm ? batchNormExamples : nil
  }

  /// The task of a model.
  func task(of model: Int) -> Int { tasks.count == 1 ? 0 : model }

  /// Runs `body` with a task's network at a point, with the task's own head.
  func at<Result>(_ point: Weights, task: Int, _ body: (any Module) throws -> Result) throws -> Result {
    let network = tasks[task].network
    let head = heads[task]
    let whole = Weights(network.weights.names.compactMap { name in (point[name] ?? head[name]).map { (name, $0) } })
    return try network.at(whole) { try body(network) }
  }

  /// The names of what training changes.
  var trainable: [String] {
    tasks[0].network.parameters().filter { $0.parameter.isTrainable && models[0][$0.name] != nil }.map(\.name)
  }

  /// Σ wᵢθᵢ over the tensors that `isIncluded`; integers are rounded.
  func averaged(_ isIncluded: (String) -> Bool = { _ in true }) throws -> Weights {
    try linearMerge(
      models.map { model in model.filter { name, _ in isIncluded(name) } },
      coefficients: models.map { _ in 1 / Double(models.count) })
  }

  /// `point` in the models' order of names, with what it lacks averaged.
  func completed(_ point: Weights) throws -> Weights {
    let rest = try averaged { point[$0] == nil }
    return Weights(models[0].names.compactMap { name in (point[name] ?? rest[name]).map { (name, $0) } })
  }
}

/// What a method made of the models.
public struct DataMergeResult: Sendable {
  /// Without the heads that are each model's own.
  public var weights: Weights
  /// What is worth knowing about it, a sentence each.
  public var notes: [String]
  /// Numbers the method found, by name: coefficients, scores.
  public var findings: [String: [Double]]

  init(_ weights: Weights, notes: [String] = [], findings: [String: [Double]] = [:]) {
    (self.weights, self.notes, self.findings) = (weights, notes, findings)
  }
}
