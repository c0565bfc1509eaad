import Foundation
import Support
import Torch

/// The file `run.json` of a run folder: what the run is, how it stands, and what it ran on.
public struct RunRecord: Codable, Hashable, Sendable {
  /// The name of the run's folder, see `RunConfiguration.id`.
  public var id: String
  /// What the run is.
  public var configuration: RunConfiguration
  /// How it stands.
  public var status: RunStatus
  /// When the folder was made.
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
  /// Those that the whole run takes.
  public var stepsTotal: Int
  /// What the last attempt ran on; nil before the first.
  public var versions: Versions?

  /// The record of a run that was never started.
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
    /// Valley's version.
    public var valley: String
    /// libtorch's version.
    public var libtorch: String
    /// The operating system and its version.
    public var system: String
    /// The machine's name.
    public var host: String
    /// The processor's name.
    public var processor: String
    /// How many threads libtorch computes with.
    public var threads: Int

    /// This machine, and by default libtorch as it is here.
    public init(valley: String, libtorch: String = Libtorch.version, threads: Int = Libtorch.threads) {
      (self.valley, self.libtorch, self.threads) = (valley, libtorch, threads)
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
