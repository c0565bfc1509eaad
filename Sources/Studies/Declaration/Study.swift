import Foundation

/// A declared grid of runs. Read one with `StudyFile`.
public struct Study: Sendable {
  /// Names the study's folder: letters, digits, `-`, `_`, `.`.
  public var name: String
  /// What it shows, in a line; the description where the file gives no title.
  public var title: String
  /// What it shows, in a few sentences.
  public var description: String
  /// The figures of the paper that it stands for, such as `2b, 14c`.
  public var figure: String?
  /// The scale it is at; nil for a study without scales.
  public var scale: StudyScale?
  /// The scales that the file declares.
  public var scales: [StudyScale] = []
  /// The swept keys as the file writes them, such as `optimizer.lr`; the first varies slowest.
  public var axes: [String]
  /// Every run, the first axis varying slowest and seeds fastest.
  public var runs: [StudyRun]

  /// `figure`, one by one: `2b`, `14c`.
  public var figures: [String] {
    (figure ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
  }
}

/// One run of a study.
public struct StudyRun: Hashable, Sendable {
  /// The name of its folder, see `RunConfiguration.id`.
  public let id: String
  /// What the run is.
  public let configuration: RunConfiguration
  /// Its value for each of the study's axes.
  public let values: [Setting]

  /// - Parameter axes: the keys whose values set it apart from the other runs
  public init(configuration: RunConfiguration, axes: [String]) {
    self.init(configuration, values: axes.map { Setting(key: $0, value: configuration.value(at: $0) ?? "–") })
  }

  init(_ configuration: RunConfiguration, values: [Setting]) {
    id = configuration.id
    self.configuration = configuration
    self.values = values
  }

  /// What sets this run apart, such as `lr=0.1 batch_size=32 seed=0`.
  public var label: String {
    let parts =
      values.map { "\($0.key.split(separator: ".").last ?? "")=\($0.value)" } + ["seed=\(configuration.seeds.text)"]
    return parts.joined(separator: " ")
  }
}
