import Checkpoints
import DataMerging
import Datasets
import Foundation
import Landscape
import Merging
import Networks
import Studies
import Support
import Torch
import Training
import Weights

/// Merges the networks of files by a method that looks at data.
///
///     guard let fisher = DataMethod.named("fisher") else { return }
///     var merge = CheckpointDataMerge(fisher, models: ["a.safetensors", "b.safetensors"], from: source)
///     merge.parameters["examples"] = "256"
///     let summary = try merge.merge(to: "merged.safetensors")
public struct CheckpointDataMerge: Sendable {
  /// How networks are merged.
  public var method: DataMethod
  /// Files or folders as `Checkpoint.read` takes them.
  public var models: [String]
  /// The weights that the models were fine-tuned from.
  public var base: String?
  /// Values of the method's parameters, as written in a recipe: one, or one per model, separated by commas.
  public var parameters: [String: String]
  /// Which network, and the data of all models; not needed for checkpoints that lie in a run's folder.
  public var source: RunSource
  /// Settings for the data of each model, in the models' order, or once for all; they take precedence over the
  /// source's.
  public var datasets: [[Setting]]
  /// The examples that the method looks at.
  public var split: Split
  /// The training examples to re-estimate the merge's BatchNorm statistics on; `off`: they are merged like weights.
  public var reestimateBatchNorm: BatchNormPolicy
  /// The seed of methods that draw random numbers.
  public var seed: UInt64

  /// By default, a merge that looks at training examples.
  public init(
    _ method: DataMethod, models: [String], base: String? = nil, parameters: [String: String] = [:],
    from source: RunSource = RunSource(), datasets: [[Setting]] = [], split: Split = .train,
    reestimateBatchNorm: BatchNormPolicy = .off, seed: UInt64 = 0
  ) {
    (self.method, self.models, self.base, self.parameters) = (method, models, base, parameters)
    (self.source, self.datasets, self.split) = (source, datasets, split)
    (self.reestimateBatchNorm, self.seed) = (reestimateBatchNorm, seed)
  }

  /// What was merged and found, most of which the written file's metadata repeats.
  public struct Summary: Encodable, Sendable {
    /// A model's file name and the name of its data.
    public struct Input: Encodable, Sendable { public let file, data: String }
    /// The file that was written; names of method, network and split
    public let output, method, model, split: String
    /// In the order of the models
    public let inputs: [Input]
    /// Its file name
    public let base: String?
    /// By parameter: one value, or one for each model
    public let settings: [String: [Double]]
    /// The seed of methods that draw random numbers
    public let seed: UInt64
    /// How many tensors the merge has, and numbers in them
    public let tensors, parameters: Int
    /// What is worth knowing about the merge, one sentence each
    public let notes: [String]
    /// Numbers the method found, by name: coefficients, scores
    public let findings: [String: [Double]]
    /// Time for reading, merging and writing
    public var seconds: Double?
  }

  private var name: String { method.declaration.name }

  private func settings() throws -> MergeSettings {
    try MergeSettings(texts: parameters, for: method.declaration, models: models.count)
  }

  /// Checks the settings, without reading a file.
  /// - Throws: `WorkbenchError` or `MergeError` for the first problem.
  public func check(output: String) throws {
    try method.declaration.requireInputs(models: models.count, hasBase: base != nil)
    _ = try settings()
    guard output.hasSuffix(".safetensors") else {
      throw WorkbenchError("\(name) writes one file, whose name must end in .safetensors, not \(output)")
    }
    guard datasets.count < 2 || datasets.count == models.count else {
      throw WorkbenchError(
        "data is given \(datasets.count) times for \(models.count) models; give it once, or once for each model")
    }
    guard reestimateBatchNorm == .off || datasets.count < 2 else {
      throw WorkbenchError(
        "`reestimateBatchNorm`: each model has data of its own, and the result would have statistics of one")
    }
  }

  /// Reads files and data, merges, and writes the result.
  ///
  /// - Parameters:
  ///   - output: the file to write, whose name ends in `.safetensors`; it appears only when it is complete
  ///   - report: hears what was renamed or replaced, and the method's progress
  /// - Throws: `WorkbenchError`, `MergeError`, and what reading files and data throws.
  public func merge(to output: String, report: @escaping News.Listener = { _ in }) throws -> Summary {
    try check(output: output)
    let start = Date()
    // The files are looked at first, since reading data may take long.
    let files = try models.map { try Checkpoint.read($0) }
    let baseFile = try base.map { try Checkpoint.read($0) }
    let configurations = try (datasets.isEmpty ? [[]] : datasets).map { dataset in
      var source = source
      source.settings = dataset + source.settings
      // Only BatchNorm's statistics go by training batches.
      return try source.configuration(for: models[0], usesBatches: reestimateBatchNorm != .off)
    }
    let runs = try configurations.map { try PreparedRun($0) }
    let networks = try runs.map { try $0.makeNetwork() }
    func loaded(_ file: Checkpoint, _ task: Int) throws -> Weights {
      try configurations[task].load(file, into: networks[task], on: runs[task].device, report: report)
      return try networks[task].weights.clone()
    }
    let weights = try files.enumerated().map { try loaded($1, runs.count == 1 ? 0 : $0) }
    let baseWeights = try baseFile.map { file in
      guard runs.count > 1 else { return try loaded(file, 0) }
      // Each model has a head of its own: the base's does not matter.
      for message in try networks[0].loadPretrained(file.weights) { report(.note("\(file.path): \(message)")) }
      return try networks[0].weights.clone()
    }
    let tasks = try runs.enumerated().map { index, run in
      DataMerge.Task(
        name: configurations[index].dataset.name.rawValue, network: networks[index],
        data: split == .test ? run.test : run.train, batches: reestimateBatchNorm == .off ? nil : try run.batches())
    }
    let settings = try settings()
    let merge = try DataMerge(
      weights, base: baseWeights, tasks: tasks, method: method.declaration, settings: settings, seed: seed,
      batchNormExamples: reestimateBatchNorm == .off ? nil : reestimateBatchNorm.examples ?? 0,
      progress: { report(.progress($0, $1, of: $2)) })
    let result = try method(merge)
    let merged = try result.weights.to(.cpu)
    guard try merged.isFinite() else {
      throw WorkbenchError("the merge would have NaN or infinite elements; nothing was written")
    }
    let inputs = models.enumerated().map { index, path in
      Summary.Input(
        file: URL(fileURLWithPath: path).lastPathComponent, data: tasks[runs.count == 1 ? 0 : index].name)
    }
    var summary = Summary(
      output: output, method: name, model: configurations[0].model.name.rawValue, split: split.rawValue,
      inputs: inputs, base: base.map { URL(fileURLWithPath: $0).lastPathComponent }, settings: settings.all,
      seed: seed, tensors: merged.count, parameters: merged.elementCount, notes: result.notes,
      findings: result.findings)
    try Safetensors.write(merged.mapTensors { try $1.contiguous() }, metadata: try summary.metadata(), to: output)
    summary.seconds = Date().timeIntervalSince(start)
    return summary
  }
}

extension DataMethod {
  /// The method called `name`; nil if there is none, or if it looks at weights alone.
  public static func named(_ name: String) -> DataMethod? { all.first { $0.declaration.name == name } }
}

extension CheckpointDataMerge.Summary {
  fileprivate func metadata() throws -> [String: String] {
    var metadata = [
      "format": "pt", "merge.method": method, "merge.inputs": try jsonText(inputs),
      "merge.settings": try jsonText(settings), "merge.seed": "\(seed)", "merge.model": model, "merge.split": split,
    ]
    metadata["merge.base"] = base
    return metadata
  }
}
