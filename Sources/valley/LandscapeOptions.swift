import ArgumentParser
import Checkpoints
import Foundation
import Landscape
import Networks
import Studies
import Support
import Torch
import Weights

extension BatchNormPolicy: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
  public var defaultValueDescription: String { text }
}

/// The options that `valley landscape` commands share: which network and data, on how much of them, and what to do about BatchNorm.
struct LandscapeOptions: ParsableArguments {
  @OptionGroup var setting: SettingOptions
  @Option(help: "The examples to measure on: train, test or both.") var split = EvalCommand.Which.both
  @Option(help: ArgumentHelp("Measure on the first N examples of each split only.", valueName: "n"))
  var examples: Int?
  @Option(
    name: .customLong("batchnorm"),
    help: ArgumentHelp(
      "BatchNorm's statistics at every point: off combines them like weights, full measures them anew on an epoch of training batches, a number on about so many training examples, always the same.",
      valueName: "off|n|full"))
  var batchNorm = BatchNormPolicy.subset(2000)
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    if let examples, examples < 1 { throw ValidationError("--examples is \(examples); expected 1 or more") }
  }

  /// Reads the weights at `paths`, which must all be for the one network, and the data.
  /// - Parameter command: for messages: `landscape path`
  func session(_ paths: [String], command: String) throws -> LandscapeSession {
    // The files are looked at first, since reading data may take long.
    let files = try paths.map { try Checkpoint.read($0) }
    guard let first = paths.first else { throw CommandError("which weights? Name at least one file") }
    let configuration = try setting.configuration(of: first, command: command, usesBatches: batchNorm != .off)
    if let threads = setting.threads { Libtorch.setThreads(threads) }
    Libtorch.keepFreedMemory()
    let runSetting = try PreparedRun(configuration)
    let network = try runSetting.makeNetwork()
    let points = try zip(files, Self.shortNames(files.map(\.path))).map { file, name in
      for message in try configuration.load(file, into: network, on: runSetting.device) {
        Terminal.writeError("\(file.path): \(message)\n")
      }
      let weights = network.weights
      try weights.requireFinite(of: file.path)
      return LandscapeSession.Point(name: name, path: file.path, weights: weights)
    }
    return LandscapeSession(
      configuration: configuration, setting: runSetting, network: network, points: points, options: self)
  }

  /// `out/first/checkpoints/endpoint-832-0.safetensors` as `endpoint-832-0`, a folder by its name. Files of one name are told apart by
  /// the nearest folders that differ: `first/endpoint-832-0`.
  static func shortNames(_ paths: [String]) -> [String] {
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
}

/// A network, its data and points it has been at: what every measurement of the landscape starts from.
struct LandscapeSession {
  struct Point {
    /// For tables and figures.
    let name: String
    let path: String
    /// On the device, finite, under the network's own names.
    let weights: Weights
  }

  let configuration: RunConfiguration
  let setting: PreparedRun
  let network: any Module
  let points: [Point]
  let options: LandscapeOptions

  /// Measures the network at any point, on what the options ask for.
  func evaluator() throws -> PointEvaluator {
    func prepared(_ which: EvalCommand.Which) throws -> PreparedExamples? {
      guard options.split == which || options.split == .both else { return nil }
      return try PreparedExamples(which == .train ? setting.train : setting.test, limit: options.examples)
    }
    let reestimates = options.batchNorm != .off && network.hasBatchNorm
    return try PointEvaluator(
      network, train: prepared(.train), test: prepared(.test), batchNorm: options.batchNorm,
      batches: reestimates ? setting.batches() : nil)
  }

  /// "resnet18 on cifar10; measured on 10000 test examples; BatchNorm re-estimated …", for captions.
  func words(_ evaluator: PointEvaluator) -> String { Self.words(configuration, evaluator) }

  static func words(_ configuration: RunConfiguration, _ evaluator: PointEvaluator) -> String {
    let sets = [("training", evaluator.train), ("test", evaluator.test)]
      .compactMap { name, examples in examples.map { "\($0.count) \(name)" } }
    let measured = sets.isEmpty ? nil : "measured on \(sets.joined(separator: " and ")) examples"
    return [
      "\(configuration.model.name.rawValue) on \(configuration.dataset.name.rawValue)", measured,
      evaluator.batchNormWords,
    ].compactMap(\.self).joined(separator: "; ")
  }

  /// What decides what is measured at a point, beside its weights.
  func identity(_ evaluator: PointEvaluator) throws -> String {
    try fingerprint([
      configuration.id, options.split.rawValue, "\(options.examples ?? -1)", evaluator.batchNorm.text,
    ])
  }
}
