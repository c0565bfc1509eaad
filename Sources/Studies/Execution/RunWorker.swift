import Foundation
import Support
import Synchronization

/// Performs one run in this process, on behalf of a `LocalExecutor` in another.
///
/// It prints its progress as JSON lines on standard output. Asked to stop (SIGTERM, or the end of standard input, which
/// means that the executor is gone, even by kill -9), the run writes a checkpoint and ends.
public enum RunWorker {
  /// Exit codes by which the executor knows how a worker ended.
  public enum Exit {
    /// done or diverged; run.json has which
    public static let complete: Int32 = 0
    /// run.json has the reason
    public static let failed: Int32 = 1
    /// stopped, with a checkpoint
    public static let stopped: Int32 = 3
    /// another process owns the folder
    public static let held: Int32 = 75
  }

  private static let stopRequested = Atomic<Bool>(false)

  /// - Parameters:
  ///   - watchesInput: whether the end of standard input means that the executor is gone
  ///   - grace: seconds from then on until the process ends, checkpoint or not
  /// - Returns: an exit code, see `Exit`
  public static func perform(
    _ run: RunFunction, in folder: URL, versions: RunRecord.Versions?, watchesInput: Bool, grace: Double = 60
  ) -> Int32 {
    // A reader that is gone must not end the run before its checkpoint.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGTERM, SIG_IGN)
    let terminate = DispatchSource.makeSignalSource(signal: SIGTERM, queue: DispatchQueue(label: "signals"))
    terminate.setEventHandler { stopRequested.store(true, ordering: .relaxed) }
    terminate.resume()
    defer { terminate.cancel() }
    if watchesInput { Thread.detachNewThread { awaitEndOfInput(grace: grace) } }

    let printer = ProgressPrinter()
    let control = RunControl(
      report: { printer.print($0) }, shouldStop: { stopRequested.load(ordering: .relaxed) })
    do {
      let folder = try RunFolder(folder)
      defer { folder.close() }
      return try folder.perform(run, versions: versions, control: control) == .stopped ? Exit.stopped : Exit.complete
    } catch {
      FileHandle.standardError.write(Data("\(error)\n".utf8))
      return error is FolderLock.Held || error is FolderLock.Lost ? Exit.held : Exit.failed
    }
  }

  private static func awaitEndOfInput(grace: Double) {
    var byte: UInt8 = 0
    while retrying({ read(STDIN_FILENO, &byte, 1) }) > 0 {}
    stopRequested.store(true, ordering: .relaxed)
    Thread.sleep(forTimeInterval: grace)
    _exit(Exit.stopped)
  }

  /// Five lines a second at most, and each new phase at once.
  private final class ProgressPrinter: Sendable {
    private let last = Mutex<(time: Date, phase: String)>((.distantPast, ""))

    func print(_ progress: RunProgress) {
      let now = Date()
      let isDue = last.withLock { last in
        guard now.timeIntervalSince(last.time) >= 0.2 || last.phase != progress.phase else { return false }
        last = (now, progress.phase)
        return true
      }
      guard isDue, var line = try? RowFile.makeEncoder().encode(progress) else { return }
      line.append(UInt8(ascii: "\n"))
      try? writeAll(line, to: STDOUT_FILENO, path: "standard output")
    }
  }
}
