import Checkpoints
import Foundation
import Landscape
import Networks
import Studies
import Torch
import Training
import Weights

/// A network, its data and some of its weights: the starting point of every measurement in weight space.
///
///     let bench = try Bench(["out/first/checkpoints/endpoint-832-0.safetensors", "b.safetensors"])
///     let paths = try PathSurvey(points: 11).measure(bench)
///
/// A measurement moves the network from point to point, so only one measurement at a time can use a bench.
public struct Bench {
  /// Weights that were read from a file.
  public struct Point: Sendable {
    /// Short, for tables and figures. Different files have different names.
    public let name: String
    /// As it was given
    public let path: String
    /// Finite, on the device, under the network's own names.
    public let weights: Weights
  }

  /// The data, on the device, and everything else that a configuration stands for.
  public let run: PreparedRun
  /// Its weights are those of whichever point was used last.
  public let network: any Module
  /// In the order they were given.
  public let points: [Point]
  /// What points are measured on.
  public let measuring: Measuring

  /// Reads weights, which must all be for one network, and the data.
  ///
  /// - Parameters:
  ///   - paths: files or folders as `Checkpoint.read` takes them
  ///   - source: which network and data; not needed for checkpoints that lie in a run's folder
  ///   - report: hears what was renamed or replaced
  /// - Throws: `WorkbenchError`, `FileError` for weights of another network, `LandscapeError` for weights that
  ///   are not finite, and what reading the data throws.
  public init(
    _ paths: [String], from source: RunSource = RunSource(), measuring: Measuring = Measuring(),
    report: News.Listener = { _ in }
  ) throws {
    // The files are looked at first, since reading data may take long.
    let files = try paths.map { try Checkpoint.read($0) }
    guard let first = paths.first else { throw WorkbenchError("no weights are named; name at least one file") }
    let configuration = try source.configuration(for: first, usesBatches: measuring.batchNorm != .off)
    Libtorch.keepFreedMemory()
    try self.init(files, PreparedRun(configuration), measuring, report)
  }

  init(_ files: [Checkpoint], _ run: PreparedRun, _ measuring: Measuring, _ report: News.Listener) throws {
    try measuring.check()
    let network = try run.makeNetwork()
    points = try zip(files, shortNames(files.map(\.path))).map { file, name in
      try run.configuration.load(file, into: network, on: run.device, report: report)
      let weights = network.weights
      try weights.requireFinite(of: file.path)
      return Point(name: name, path: file.path, weights: weights)
    }
    (self.run, self.network, self.measuring) = (run, network, measuring)
  }

  // MARK: What is measured on

  /// Measures the network at any point: loss and accuracy on the requested examples.
  func evaluator() throws -> PointEvaluator {
    func prepared(_ part: Measuring.Part) throws -> PreparedExamples? {
      guard measuring.split == part || measuring.split == .both else { return nil }
      return try PreparedExamples(part == .train ? run.train : run.test, limit: measuring.examples)
    }
    return try evaluator(train: prepared(.train), test: prepared(.test))
  }

  /// Moves the network to any point, with BatchNorm statistics as requested.
  func placer() throws -> PointEvaluator { try evaluator(train: nil, test: nil) }

  private func evaluator(train: PreparedExamples?, test: PreparedExamples?) throws -> PointEvaluator {
    let reestimates = measuring.batchNorm != .off && network.hasBatchNorm
    return try PointEvaluator(
      network, train: train, test: test, batchNorm: measuring.batchNorm, batches: reestimates ? run.batches() : nil)
  }

  /// The examples of the requested split, or of `usual` where both were requested, and words for them.
  func examples(usual: Measuring.Part, limit: Int? = nil) throws -> (examples: PreparedExamples, words: String) {
    let isTraining = (measuring.split == .both ? usual : measuring.split) == .train
    let examples = try PreparedExamples(isTraining ? run.train : run.test, limit: measuring.examples ?? limit)
    return (examples, "the first \(examples.count) \(isTraining ? "training" : "test") examples, not augmented")
  }

  /// The weights of each point, with BatchNorm statistics as requested.
  func placed(_ weights: [Weights], by placer: PointEvaluator) throws -> [Weights] {
    try weights.map { try placer.settled($0) }
  }

  // MARK: Words

  private var model: String { run.configuration.model.name.rawValue }
  private var dataset: String { run.configuration.dataset.name.rawValue }

  /// "measured on 10000 test examples", for captions; nil if there are none.
  func words(_ evaluator: PointEvaluator) -> String? {
    let sets = [("training", evaluator.train), ("test", evaluator.test)]
      .compactMap { name, examples in examples.map { "\($0.count) \(name)" } }
    return sets.isEmpty ? nil : "measured on \(sets.joined(separator: " and ")) examples"
  }

  /// "resnet18 on cifar10; measured on 10000 test examples; BatchNorm re-estimated …", for captions.
  func caption(_ words: String?, _ evaluator: PointEvaluator) -> String {
    [
      "\(model) on \(dataset)", words, evaluator.batchNormWords,
    ].compactMap(\.self).joined(separator: "; ")
  }

  /// What was found, with what it was found on.
  func measured<Found>(_ found: Found, _ words: String?, _ evaluator: PointEvaluator) -> Measured<Found> {
    Measured(
      setting: caption(words, evaluator), model: model, dataset: dataset, batchNorm: evaluator.batchNormWords,
      found: found)
  }

  /// The measurements that a folder holds, as far as they were made like this.
  func store(_ folder: URL?, _ evaluator: PointEvaluator, report: @escaping News.Listener) throws -> MeasureStore {
    let identity = try fingerprint([
      run.configuration.id, measuring.split.rawValue, "\(measuring.examples ?? -1)", evaluator.batchNorm.text,
    ])
    return try MeasureStore(folder, setting: identity, report: report)
  }
}

/// `out/first/checkpoints/endpoint-832-0.safetensors` as `endpoint-832-0`, a folder by its name. Files of one name are
/// told apart by the nearest folders that differ: `first/endpoint-832-0`.
private func shortNames(_ paths: [String]) -> [String] {
  let parts = paths.map { path in
    let url = URL(fileURLWithPath: path)
    let isFile = ["safetensors", "pt", "pth", "bin", "ckpt"].contains(url.pathExtension)
    return Array((isFile ? url.deletingPathExtension() : url).standardizedFileURL.pathComponents.reversed())
  }
  let distinct = Set(parts).count
  let names = parts.map { $0.first ?? "" }
  if Set(names).count == distinct { return names }
  for level in 1..<max(1, parts.map(\.count).min() ?? 1) {
    let longer = zip(parts, names).map { "\($0[level])/\($1)" }
    if Set(longer).count == distinct { return longer }
  }
  return paths
}
