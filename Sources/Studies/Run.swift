/// Trains, branches, merges and measures one run, going on from what the folder already holds.
///
/// It appends to `folder.metrics` and `folder.results`, keeps its own state to resume from in `folder.checkpoints` together with the two
/// files' lengths, and calls `folder.rewind` before it goes on. After each optimizer step it asks `control.shouldStop()`; if so, it writes
/// a checkpoint and returns `.stopped`. The status in `run.json` is its caller's business (`perform`).
public typealias Run = @Sendable (RunConfiguration, RunFolder, RunControl) throws -> RunOutcome

/// How a run came to its end.
public enum RunOutcome: Hashable, Sendable {
  case finished
  /// The loss became NaN or infinite at this step of the trunk or of an endpoint.
  case diverged(step: Int)
  /// It was asked to stop and left a checkpoint.
  case stopped
}

/// How far a run is.
public struct RunProgress: Codable, Hashable, Sendable {
  /// Optimizer steps, trunk and endpoints together.
  public var done: Int
  public var total: Int
  /// What it does just now, such as `trunk`, `endpoint 1 of epoch 5`, `merging`.
  public var phase: String

  public init(done: Int, total: Int, phase: String) {
    self.done = done
    self.total = total
    self.phase = phase
  }
}

/// What a run says and asks while it works.
public struct RunControl: Sendable {
  /// Cheap enough for every step.
  public let report: @Sendable (RunProgress) -> Void
  public let shouldStop: @Sendable () -> Bool

  public init(
    report: @escaping @Sendable (RunProgress) -> Void = { _ in },
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) {
    self.report = report
    self.shouldStop = shouldStop
  }
}

extension RunFolder {
  /// Runs `run` in this folder and keeps `run.json` up to date: running, then done, diverged, failed (the error is thrown on) or, when
  /// it was stopped, pending.
  @discardableResult
  public func perform(_ run: Run, versions: RunRecord.Versions?, control: RunControl) throws -> RunOutcome {
    try begin(versions: versions)
    let watched = RunControl(
      report: { [self] progress in
        // The record is a courtesy to whoever looks; the run itself finds out about a full disk or a lost folder.
        try? self.progress(done: progress.done, total: progress.total)
        control.report(progress)
      }, shouldStop: control.shouldStop)
    do {
      let outcome = try run(configuration, self, watched)
      switch outcome {
      case .finished: try end(.done)
      case .diverged(let step): try end(.diverged(step: step))
      case .stopped: try end(.pending)
      }
      return outcome
    } catch {
      try? end(.failed(reason: "\(error)"))
      throw error
    }
  }
}
