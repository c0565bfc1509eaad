import Checkpoints
import Foundation
import Support

/// The folder of one run, owned by this process for as long as the value lives (or until `close`).
///
///     run.json              what the run is and how it stands
///     metrics.jsonl         a row for each training step and noise measurement
///     results.jsonl         a `ResultRow` for each single and merge
///     checkpoints/          weights and the state to resume from
///     predictions/          what every network predicted, where the run keeps that
///     lock                  who owns the folder
///     stderr.log            what the last worker complained about
public final class RunFolder: @unchecked Sendable {
  /// Where it is.
  public let url: URL
  /// What the run is.
  public let configuration: RunConfiguration
  /// `metrics.jsonl`.
  public let metrics: RowFile
  /// `results.jsonl`.
  public let results: RowFile
  private let lock: FolderLock
  private let mutex = NSLock()
  private var current: RunRecord
  private var lastWritten = Date.distantPast
  private var lastCounted = Date()

  /// Takes ownership of the folder, making it if need be.
  ///
  /// Throws `FolderLock.Held` if a living process owns it, and `RunFolderError` if the folder belongs to another
  /// configuration.
  /// - Parameter configuration: nil reads it from `run.json`, which must be there
  public init(_ url: URL, configuration: RunConfiguration? = nil) throws {
    self.url = url
    if configuration == nil, try RunRecord.read(url) == nil {
      throw RunFolderError(path: url.path, message: "is no run folder: it has no run.json")
    }
    try makeFolder(url)
    lock = try FolderLock(url)
    // A record that cannot be read is written anew where the configuration is known, since it holds nothing else of
    // worth.
    let found = configuration == nil ? try RunRecord.read(url) : (try? RunRecord.read(url))
    guard let wanted = configuration ?? found?.configuration else {
      throw RunFolderError(path: url.path, message: "lost its run.json")
    }
    if let found, found.configuration != wanted {
      throw RunFolderError(path: url.path, message: Self.differences(found.configuration, wanted))
    }
    self.configuration = wanted
    current = found ?? RunRecord(configuration: wanted)
    let checkpoints = url.appendingPathComponent("checkpoints")
    try makeFolder(checkpoints)
    for folder in [url, checkpoints] { AtomicFile.removeLeftovers(in: folder.path) }
    metrics = try RowFile(url.appendingPathComponent("metrics.jsonl"))
    results = try RowFile(url.appendingPathComponent("results.jsonl"))
    if found == nil { try write(current) }
  }

  private static func differences(_ found: RunConfiguration, _ wanted: RunConfiguration) -> String {
    let keys = StudyKeys.sweepable.filter { key in
      StudyKeys.sections[key] == nil && found.value(at: key) != wanted.value(at: key)
    }.map { key in
      "\(key) is \(found.value(at: key) ?? "null") there and \(wanted.value(at: key) ?? "null") here"
    }
    let seeds = found.seeds == wanted.seeds ? [] : ["seed \(found.seeds.text) there and \(wanted.seeds.text) here"]
    return "holds another run (\(found.id)) than \(wanted.id); choose another folder or delete it:\n  "
      + (keys + seeds).joined(separator: "\n  ")
  }

  /// Gives the folder up. Nothing may be written through this value any more.
  public func close() { lock.release() }

  /// Where predictions go, a file `<step>.safetensors` for each branch point.
  public var predictions: URL { url.appendingPathComponent("predictions") }

  /// Where the weights that runs start from are kept: in the study's folder, for all its runs; a run on its own has its
  /// own.
  public var starts: URL {
    let parent = url.deletingLastPathComponent()
    let study = parent.deletingLastPathComponent()
    let isInStudy =
      parent.lastPathComponent == "runs"
      && FileManager.default.fileExists(atPath: study.appendingPathComponent("study.yaml").path)
    return (isInStudy ? study : url).appendingPathComponent("starts")
  }

  /// Where weights go.
  public var checkpoints: URL { url.appendingPathComponent("checkpoints") }

  /// What `run.json` says.
  public var record: RunRecord { mutex.withLock { current } }

  /// Throws `FolderLock.Lost` if another process took the folder over; ask before writing a checkpoint.
  public func checkOwnership() throws { try lock.check() }

  /// Appends a result and waits until it is on the disk.
  public func append(_ row: ResultRow) throws {
    try results.append(row)
    try results.synchronise()
  }

  /// Notes something that people should know about the run, in `metrics.jsonl` and on standard error.
  func note(_ text: String) throws {
    struct Note: Encodable {
      let kind = "note"
      let text: String
    }
    try metrics.append(Note(text: text))
    FileHandle.standardError.write(Data("\(text)\n".utf8))
  }

  /// Goes back to what a checkpoint recorded as `metrics.length` and `results.length`; 0 and 0 start over.
  public func rewind(metrics metricsLength: Int, results resultsLength: Int) throws {
    try lock.check()
    try metrics.truncate(to: metricsLength)
    try results.truncate(to: resultsLength)
  }

  /// Notes that an attempt starts.
  public func begin(versions: RunRecord.Versions?) throws {
    lastCounted = Date()
    try change { record in
      record.status = .running
      record.started = .currentSecond
      record.ended = nil
      record.attempts += 1
      record.versions = versions
    }
  }

  /// Notes how far the run is; written at most every `interval` seconds.
  public func progress(done: Int, total: Int, interval: Double = 5) throws {
    let isDue = mutex.withLock { () -> Bool in
      current.stepsDone = done
      current.stepsTotal = total
      return Date().timeIntervalSince(lastWritten) >= interval
    }
    if isDue { try change { _ in } }
  }

  /// Notes how the attempt ended; `.pending` for one that was interrupted and goes on another time.
  public func end(_ status: RunStatus) throws {
    try metrics.synchronise()
    try change { record in
      record.status = status
      record.ended = .currentSecond
      if status == .done { record.stepsDone = record.stepsTotal }
    }
  }

  private func change(_ body: (inout RunRecord) -> Void) throws {
    try lock.check()
    let record = mutex.withLock { () -> RunRecord in
      let now = Date()
      if current.status == .running { current.seconds += now.timeIntervalSince(lastCounted) }
      lastCounted = now
      lastWritten = now
      body(&current)
      return current
    }
    try write(record)
  }

  private func write(_ record: RunRecord) throws {
    try writeAtomically(try JSONEncoder.record.encode(record), to: url.appendingPathComponent("run.json").path)
  }
}

/// A folder that is not the run folder it should be.
public struct RunFolderError: Error, CustomStringConvertible, Sendable {
  /// The folder or file.
  public let path: String
  /// What is wrong with it, and how to mend it.
  public let message: String
  /// Where, and what.
  public var description: String { "\(path) \(message)" }
}
