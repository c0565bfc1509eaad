/// A declared grid of runs. Read one with `StudyFile`.
public struct Study: Sendable {
  /// Names the study's folder: letters, digits, `-`, `_`, `.`.
  public var name: String
  public var description: String
  /// The swept keys as the file writes them, such as `optimizer.lr`; the first varies slowest.
  public var axes: [String]
  public var runs: [StudyRun]

  public init(name: String, description: String, axes: [String], runs: [StudyRun]) {
    self.name = name
    self.description = description
    self.axes = axes
    self.runs = runs
  }
}

/// One run of a study.
public struct StudyRun: Hashable, Sendable {
  /// The name of its folder, see `RunConfiguration.id`.
  public let id: String
  public let configuration: RunConfiguration
  /// Its value for each of the study's axes.
  public let values: [Setting]

  public init(configuration: RunConfiguration, axes: [String]) {
    id = configuration.id
    self.configuration = configuration
    values = axes.map { Setting(key: $0, value: configuration.value(at: $0) ?? "–") }
  }

  /// What sets this run apart, such as `lr=0.1 batch_size=32 seed=0`.
  public var label: String {
    let parts =
      values.map { "\($0.key.split(separator: ".").last ?? "")=\($0.value)" } + ["seed=\(configuration.seeds.text)"]
    return parts.joined(separator: " ")
  }
}
