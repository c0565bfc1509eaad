/// Trains, branches, merges and measures one run, going on from what the folder already holds.
///
/// It appends to `folder.metrics` and `folder.results`, keeps its own state to resume from in `folder.checkpoints`
/// together with the two files' lengths, and calls `folder.rewind` before it goes on. After each optimizer step it asks
/// `control.shouldStop()`; if so, it writes a checkpoint and returns `.stopped`. The status in `run.json` is its
/// caller's business (`perform`).
public typealias RunFunction = @Sendable (RunConfiguration, RunFolder, RunControl) throws -> RunOutcome

extension RunFolder {
  /// Runs `run` in this folder and keeps `run.json` up to date: running, then done, diverged, failed (the error is
  /// thrown on) or, when it was stopped, pending.
  @discardableResult
  public func perform(_ run: RunFunction, versions: RunRecord.Versions?, control: RunControl) throws -> RunOutcome {
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
