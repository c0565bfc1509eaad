import Foundation
import Studies

/// Says which network weights are for and which data they are measured on: by a study, by a run, or by values of a
/// run's configuration.
///
///     let source = RunSource(settings: [
///       Setting(key: "model.name", value: "resnet18"), Setting(key: "dataset.name", value: "cifar10"),
///     ])
///     let evaluation = try CheckpointEvaluation(of: "resnet18.pt", from: source)
public struct RunSource: Hashable, Sendable {
  /// A study's YAML file that comes down to one run.
  public var study: String?
  /// The folder of a run, with its `run.json`. A study goes first where both are given.
  public var run: String?
  /// Values that take the place of those of the study or run; keys and values as in a study's file.
  public var settings: [Setting]

  /// By default, nothing, which is enough for a checkpoint in its run's folder.
  public init(study: String? = nil, run: String? = nil, settings: [Setting] = []) {
    (self.study, self.run, self.settings) = (study, run, settings)
  }

  /// The one run that is meant; without a study or run every value that is not set has its default.
  ///
  /// - Throws: `WorkbenchError` where there are several runs or none, and what reading a study throws.
  public func configuration() throws -> RunConfiguration {
    if study == nil, let run { return try configuration(ofRun: run) }
    let study =
      if let file = self.study {
        try StudyFile.read(URL(fileURLWithPath: file), settings: settings)
      } else {
        try StudyFile.parse("", file: "the settings", settings: settings)
      }
    guard let run = study.runs.first, study.runs.count == 1 else {
      let swept =
        study.axes.map { "`\($0)`" }
        + (study.runs.contains { $0.values == study.runs[0].values && $0 != study.runs[0] } ? ["`seeds`"] : [])
      throw WorkbenchError(
        "\(self.study ?? "") declares \(study.runs.count) runs where one is wanted; choose it with "
          + "\(swept.joined(separator: " ")), or run them all with `valley study run`")
    }
    return run.configuration
  }

  /// The configuration that weights are for: that of the study or run, or of the run whose `checkpoints` folder they
  /// lie in, or what the settings say.
  ///
  /// - Parameters:
  ///   - weights: the file's path
  ///   - usesBatches: whether training batches are needed; where not, their size does not keep a small dataset out
  /// - Throws: `WorkbenchError` where nothing says which network it is.
  public func configuration(for weights: String, usesBatches: Bool = true) throws -> RunConfiguration {
    if study != nil { return try configuration() }
    if let run = run ?? Self.run(of: weights) { return try configuration(ofRun: run) }
    guard namesModel else {
      throw WorkbenchError(
        "\(weights): which network are these weights for? Name it with `model.name` (and its data with "
          + "`dataset.name`), with a `study`, or with a `run`")
    }
    var source = self
    if !usesBatches { source.settings.insert(Setting(key: "batch_size", value: "2"), at: 0) }
    return try source.configuration()
  }

  /// Whether the settings name a network.
  var namesModel: Bool { settings.contains { $0.key.hasPrefix("model") } }

  /// Whether this says which data weights are measured on, or the weights' place in a run's folder does.
  func namesData(for weights: String) -> Bool {
    study != nil || run != nil || settings.contains { $0.key.hasPrefix("dataset") } || Self.run(of: weights) != nil
  }

  /// The folder of the run whose checkpoint a file is.
  private static func run(of weights: String) -> String? {
    let folder = URL(fileURLWithPath: weights).deletingLastPathComponent()
    let owner = folder.deletingLastPathComponent()
    let isRun =
      folder.lastPathComponent == "checkpoints"
      && FileManager.default.fileExists(atPath: owner.appendingPathComponent("run.json").path)
    return isRun ? owner.path : nil
  }

  private func configuration(ofRun folder: String) throws -> RunConfiguration {
    let url = URL(fileURLWithPath: folder)
    guard let record = try RunRecord.read(url) else {
      throw WorkbenchError("\(url.path) is no run folder: it has no run.json")
    }
    if settings.isEmpty { return record.configuration }
    // Its JSON is YAML with the keys of a study.
    let text = String(decoding: record.configuration.canonicalJSON, as: UTF8.self)
    return try StudyFile.parse(text, file: url.appendingPathComponent("run.json").path, settings: settings)
      .runs[0].configuration
  }
}
