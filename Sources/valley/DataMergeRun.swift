import Checkpoints
import DataMerging
import Foundation
import Merging
import Networks
import Studies
import Torch
import Training
import Weights

/// Carries out a merge that looks at data.
struct DataMergeRun {
  let method: DataMethod
  let models: [String]
  let base: String?
  let texts: [String: String]
  let options: DataMergeOptions
  /// Values of the configuration for all models' data, or for each.
  let datasets: [[Studies.Setting]]
  /// Its other values.
  let settings: [Studies.Setting]
  let seed: UInt64
  let output: String

  struct Summary: Encodable {
    struct Input: Encodable {
      let file: String
      let data: String
    }
    let output, method, model, split: String
    let inputs: [Input]
    let base: String?
    let settings: [String: [Double]]
    let seed: UInt64
    let tensors, parameters: Int
    let notes: [String]
    let findings: [String: [Double]]
    var seconds: Double?
  }

  /// What can be told without reading a file.
  func check() throws {
    try method.declaration.requireInputs(models: models.count, hasBase: base != nil)
    _ = try MergeSettings(texts: texts, for: method.declaration, models: models.count)
    guard output.hasSuffix(".safetensors") else {
      throw MergeError("\(method.declaration.name) writes one file: -o must end in .safetensors, not be \(output)")
    }
    guard datasets.count < 2 || datasets.count == models.count else {
      throw MergeError(
        "--data is given \(datasets.count) times for \(models.count) models; give it once, or once for each model")
    }
  }

  func run() throws -> Summary {
    let start = Date()
    // The files are looked at first, since reading data may take long.
    let files = try models.map { try Checkpoint.read($0) }
    let baseFile = try base.map { try Checkpoint.read($0) }
    let configurations = try options.configurations(
      models[0], datasets: datasets, settings, method: method.declaration.name)
    let runs = try configurations.map { try PreparedRun($0) }
    let networks = try runs.map { try $0.makeNetwork() }
    func loaded(_ file: Checkpoint, _ task: Int) throws -> Weights {
      for message in try configurations[task].load(file, into: networks[task], on: runs[task].device) {
        Terminal.writeError("\(file.path): \(message)\n")
      }
      return try networks[task].weights.clone()
    }
    let weights = try files.enumerated().map { try loaded($1, runs.count == 1 ? 0 : $0) }
    let baseWeights = try baseFile.map { file in
      guard runs.count > 1 else { return try loaded(file, 0) }
      // Each model has a head of its own: the base's does not matter.
      for message in try networks[0].loadPretrained(file.weights) { Terminal.writeError("\(file.path): \(message)\n") }
      return try networks[0].weights.clone()
    }
    let tasks = try runs.enumerated().map { index, run in
      DataMerge.Task(
        name: configurations[index].dataset.name.rawValue, network: networks[index],
        data: options.split == .test ? run.test : run.train,
        batches: options.reestimate == nil ? nil : try run.batches())
    }
    guard options.reestimate == nil || tasks.count == 1 else {
      throw CommandError(
        "--reestimate-batchnorm: each model has data of its own, and the result would have statistics of one")
    }
    let given = try MergeSettings(texts: texts, for: method.declaration, models: models.count)
    let progress = Reporter()
    let merge = try DataMerge(
      weights, base: baseWeights, tasks: tasks, method: method.declaration, settings: given, seed: seed,
      batchNormExamples: options.reestimate, progress: { progress.update($0, $1, $2) })
    let result = try method(merge)
    progress.finish()
    let inputs = models.enumerated().map { index, path in
      Summary.Input(
        file: URL(fileURLWithPath: path).lastPathComponent, data: tasks[runs.count == 1 ? 0 : index].name)
    }
    let merged = try result.weights.to(.cpu)
    guard try merged.isFinite() else {
      throw CommandError("the merge would have NaN or infinite elements; nothing was written")
    }
    var summary = Summary(
      output: output, method: method.declaration.name, model: configurations[0].model.name.rawValue,
      split: options.split.rawValue, inputs: inputs, base: base.map { URL(fileURLWithPath: $0).lastPathComponent },
      settings: given.all, seed: seed, tensors: merged.count, parameters: merged.elementCount, notes: result.notes,
      findings: result.findings)
    try Safetensors.write(merged.mapTensors { try $1.contiguous() }, metadata: try metadata(summary), to: output)
    summary.seconds = Date().timeIntervalSince(start)
    return summary
  }

  private func metadata(_ summary: Summary) throws -> [String: String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    func text(_ value: some Encodable) throws -> String { String(decoding: try encoder.encode(value), as: UTF8.self) }
    var metadata = [
      "format": "pt", "merge.method": summary.method, "merge.inputs": try text(summary.inputs),
      "merge.settings": try text(summary.settings), "merge.seed": "\(seed)", "merge.model": summary.model,
      "merge.split": summary.split,
    ]
    metadata["merge.base"] = summary.base
    return metadata
  }

  /// A bar for each thing that a method does.
  private final class Reporter {
    private var bar: Progress?
    private var what = ""
    private let start = Date()

    func update(_ what: String, _ done: Int, _ total: Int) {
      // A merge of a moment needs none.
      guard Date().timeIntervalSince(start) > 0.5 else { return }
      if what != self.what {
        finish()
        (bar, self.what) = (Progress(what, total: total), what)
      }
      bar?.update(done)
    }

    func finish() {
      bar?.finish()
      bar = nil
    }
  }
}

extension DataMergeRun.Summary {
  /// `fisher(a, b, examples=256): 62 tensors, 11173962 numbers`, and what was found, a line each.
  var text: String {
    let declared = (try? MergeMethod.named(method, among: DataMethod.declarations))?.parameters ?? []
    let values = declared.compactMap { parameter -> String? in
      guard let values = settings[parameter.name] else { return nil }
      let shown = Set(values).count == 1 ? Array(values.prefix(1)) : values
      return "\(parameter.name)=" + shown.map { parameter.text(of: $0) }.joined(separator: ",")
    }
    let parts = inputs.map { "\($0.file) on \($0.data)" } + (base.map { ["base=\($0)"] } ?? []) + values
    let lines = ["\(output) = \(method)(\(parts.joined(separator: ", "))): \(tensors) tensors, \(parameters) numbers"]
    return (lines + notes).joined(separator: "\n")
  }
}

extension DataMergeRun {
  /// What a recipe asks for; nil where its method looks at weights alone. Options on the command line stand before the recipe's.
  init?(_ recipe: Recipe, relativeTo folder: String, _ options: DataMergeOptions, seed: UInt64, output: String) throws {
    guard let method = DataMethod.all.first(where: { $0.declaration.name == recipe.method.name }) else { return nil }
    func located(_ model: Recipe.Model) throws -> String {
      guard model.lora == nil, model.revision == nil else {
        throw CommandError("\(model): \(method.declaration.name) takes files and folders, without adapter or revision")
      }
      let beside = folder + "/" + model.path
      return !FileManager.default.fileExists(atPath: model.path) && FileManager.default.fileExists(atPath: beside)
        ? beside : model.path
    }
    let sources = recipe.modules[0].slices[0].sources.filter { $0.model != recipe.base }
    var texts: [String: String] = [:]
    for parameter in method.declaration.parameters {
      func text(_ value: Recipe.Value) throws -> String {
        guard case .number(let number) = value else {
          throw CommandError("\(parameter.name): \(method.declaration.name) takes one value, no gradient and no filter")
        }
        return parameter.text(of: number)
      }
      let shared = try recipe.parameters[parameter.name].map(text)
      let own = try sources.map { try $0.parameters[parameter.name].map(text) ?? shared }
      if own.allSatisfy({ $0 == shared }) {
        texts[parameter.name] = shared
      } else {
        texts[parameter.name] = own.map { $0 ?? parameter.defaultText }.joined(separator: ",")
      }
    }
    func settings(_ prefix: String, _ values: [String: String]) -> [Studies.Setting] {
      values.sorted { $0.key < $1.key }.map { Studies.Setting(key: "\(prefix).\($0.key)", value: $0.value) }
    }
    let given = options.datasets
    self.init(
      method: method, models: try sources.map { try located($0.model) }, base: try recipe.base.map(located),
      texts: texts, options: options,
      datasets: given.isEmpty ? recipe.data.map { settings("dataset", $0) } : given,
      settings: options.model == nil ? settings("model", recipe.network) : [], seed: seed, output: output)
  }
}
