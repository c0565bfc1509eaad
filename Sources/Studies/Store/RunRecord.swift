import Foundation
import Support
import Torch

/// The file `run.json` of a run folder: what the run is, how it stands, and what it ran on.
public struct RunRecord: Codable, Hashable, Sendable {
  public var id: String
  public var configuration: RunConfiguration
  public var status: RunStatus
  public var created: Date
  /// When it was last started.
  public var started: Date?
  /// When it last ended, however it ended.
  public var ended: Date?
  /// How often it was started.
  public var attempts: Int
  /// Seconds spent in all attempts, up to the last time that was written down.
  public var seconds: Double
  /// Optimizer steps done and in all, trunk and endpoints together.
  public var stepsDone: Int
  public var stepsTotal: Int
  /// What the last attempt ran on; nil before the first.
  public var versions: Versions?

  public init(configuration: RunConfiguration) {
    id = configuration.id
    self.configuration = configuration
    status = .pending
    created = .currentSecond
    attempts = 0
    seconds = 0
    stepsDone = 0
    stepsTotal = configuration.steps().total
  }

  /// The software and machine of a run.
  public struct Versions: Codable, Hashable, Sendable {
    public var valley: String
    public var libtorch: String
    public var system: String
    public var host: String
    public var processor: String
    public var threads: Int

    /// This machine and libtorch, beside the version of Valley.
    public init(valley: String) {
      self.valley = valley
      libtorch = Libtorch.version
      threads = Libtorch.threads
      system = ProcessInfo.processInfo.operatingSystemVersionString
      host = Machine.hostName
      processor = Machine.processorName
    }
  }

  /// Reads `run.json` of a run folder; nil if there is none.
  public static func read(_ folder: URL) throws -> RunRecord? {
    let url = folder.appendingPathComponent("run.json")
    guard let data = FileManager.default.contents(atPath: url.path) else { return nil }
    do {
      return try JSONDecoder.record.decode(RunRecord.self, from: data)
    } catch {
      throw FileError(url.path, "cannot be understood: \(brief(error))")
    }
  }
}
