import Foundation
import Support
import Synchronization

/// Performs the runs of a study in worker processes on this machine, a few at a time, the longest first.
public struct LocalExecutor: Sendable {
  /// Workers at a time.
  public var jobs: Int
  /// The executable and its arguments; the run folder's path follows.
  public var command: [String]
  /// Threads of each worker, handed on as OMP_NUM_THREADS.
  public var threads: Int
  /// Threads of single runs, by id, that are to have another number.
  public var resumedThreads: [String: Int] = [:]
  /// What a run costs, in any unit.
  public var cost: @Sendable (StudyRun) -> Double = Self.usualCost

  /// - Parameter threads: nil: the processors shared out among the workers
  public init(command: [String], jobs: Int, threads: Int? = nil) {
    self.command = command
    self.jobs = max(1, jobs)
    self.threads = max(1, threads ?? Machine.processors / max(1, jobs))
  }

  /// What happens while runs are performed. Events come one at a time, from changing threads.
  public enum Event: Sendable {
    case started(StudyRun)
    case progress(StudyRun, RunProgress)
    case ended(StudyRun, Ending)
  }

  /// How a run's worker ended.
  public enum Ending: Hashable, Sendable {
    case done
    case diverged(step: Int)
    case failed(reason: String)
    /// Asked to; it goes on another time.
    case stopped
    /// Another process, named in the text, works on it.
    case held(String)
  }

  /// Asks the executor to stop, from a signal handler's queue or another thread.
  public final class Stop: Sendable {
    private let level = Atomic<Int>(0)

    /// Asks for nothing yet.
    public init() {}

    /// The first call lets every worker write its checkpoint and end, the second ends them at once.
    public func request() { level.add(1, ordering: .relaxed) }

    /// Whether `request` was called.
    public var isRequested: Bool { level.load(ordering: .relaxed) > 0 }
    var isUrgent: Bool { level.load(ordering: .relaxed) > 1 }
  }

  /// Performs `runs` and returns how each ended, in the order given; runs that were not started because of `stop` are
  /// left out.
  public func perform(
    _ runs: [StudyRun], in study: StudyFolder, stop: Stop = Stop(),
    observe: @escaping @Sendable (Event) -> Void = { _ in }
  ) -> [(run: StudyRun, ending: Ending)] {
    // Longest first leaves the least idle time at the end.
    let queue = runs.enumerated().map { (index: $0.offset, run: $0.element, cost: cost($0.element)) }
      .sorted { ($1.cost, $0.index) < ($0.cost, $1.index) }
    let work = Work(observe: observe)
    let order = queue.map { ($0.index, $0.run) }
    let group = DispatchGroup()
    for _ in 0..<min(jobs, runs.count) {
      group.enter()
      Thread.detachNewThread {
        while !stop.isRequested, let (index, run) = work.next(order) {
          work.notify(.started(run))
          let ending = perform(run, in: study.folder(of: run), stop: stop) { work.notify(.progress(run, $0)) }
          work.endings.withLock { $0[index] = ending }
          work.notify(.ended(run, ending))
        }
        group.leave()
      }
    }
    group.wait()
    let endings = work.endings.withLock { $0 }
    return runs.indices.compactMap { index in endings[index].map { (runs[index], $0) } }
  }

  /// Steps times batch size.
  @Sendable public static func usualCost(_ run: StudyRun) -> Double {
    Double(run.configuration.steps().total) * Double(run.configuration.batchSize)
  }

  /// One run from its folder's preparation to the verdict.
  private func perform(
    _ run: StudyRun, in folder: URL, stop: Stop, report: (RunProgress) -> Void
  ) -> Ending {
    let errors = folder.appendingPathComponent("stderr.log")
    let worker: WorkerProcess
    do {
      // Makes the folder and its record, and finds out whether somebody else works on it.
      try RunFolder(folder, configuration: run.configuration).close()
      var environment = ProcessInfo.processInfo.environment
      environment["OMP_NUM_THREADS"] = "\(resumedThreads[run.id] ?? threads)"
      worker = try WorkerProcess(command + [folder.path], environment: environment, errors: errors)
    } catch let held as FolderLock.Held {
      return .held("\(held.owner)")
    } catch {
      return .failed(reason: "\(error)")
    }
    let decoder = JSONDecoder()
    var (hasAsked, hasKilled) = (false, false)
    while true {
      let ending = worker.endingIfOver()
      for line in worker.lines(timeout: ending == nil ? 0.1 : 0) {
        if let progress = try? decoder.decode(RunProgress.self, from: line) { report(progress) }
      }
      if let ending {
        return verdict(ending, wasStopped: hasAsked || hasKilled, run: run, folder: folder, errors: errors)
      }
      if stop.isUrgent, !hasKilled {
        worker.killGroup()
        hasKilled = true
      } else if stop.isRequested, !hasAsked {
        worker.terminate()
        hasAsked = true
      }
    }
  }

  private func verdict(
    _ ending: WorkerProcess.Ending, wasStopped: Bool, run: StudyRun, folder: URL, errors: URL
  ) -> Ending {
    let record = try? RunRecord.read(folder)
    switch (ending, record?.status) {
    case (.exit(RunWorker.Exit.complete), .done): return .done
    case (.exit(RunWorker.Exit.complete), .diverged(let step)): return .diverged(step: step)
    case (.exit(RunWorker.Exit.stopped), _): return .stopped
    case (.exit(RunWorker.Exit.held), _):
      return .held(FolderLock.owner(of: folder)?.description ?? "another process")
    case (.exit(RunWorker.Exit.failed), .failed(let reason)): return .failed(reason: reason)
    case (.exit(RunWorker.Exit.failed), _) where !lastWords(errors).isEmpty:
      // On a full disk the worker could not even record why.
      return fail(run, folder, lastWords(errors).joined(separator: "\n"))
    case _ where wasStopped: return .stopped
    case (.exit(let code), _): return fail(run, folder, "its worker ended with code \(code)" + tail(of: errors))
    case (.signal(let number), _):
      let name = number == 9 ? "signal 9 (killed, perhaps out of memory)" : "signal \(number)"
      return fail(run, folder, "its worker was ended by \(name)" + tail(of: errors))
    }
  }

  /// Records a failure that the worker itself could not.
  private func fail(_ run: StudyRun, _ folder: URL, _ reason: String) -> Ending {
    if let folder = try? RunFolder(folder, configuration: run.configuration) {
      try? folder.end(.failed(reason: reason))
      folder.close()
    }
    return .failed(reason: reason)
  }

  /// The last lines a worker complained with.
  private func lastWords(_ errors: URL) -> [String] {
    guard let data = FileManager.default.contents(atPath: errors.path) else { return [] }
    let text = String(decoding: data.suffix(2000), as: UTF8.self)
    return text.split(whereSeparator: \.isNewline).suffix(5).map(String.init)
  }

  private func tail(of errors: URL) -> String {
    let lines = lastWords(errors)
    return lines.isEmpty ? "" : ":\n" + lines.map { "  \($0)" }.joined(separator: "\n")
  }
}

/// What the threads of an executor share.
private final class Work: Sendable {
  let endings = Mutex<[Int: LocalExecutor.Ending]>([:])
  private let position = Atomic<Int>(0)
  private let serial = NSLock()
  private let observe: @Sendable (LocalExecutor.Event) -> Void

  init(observe: @escaping @Sendable (LocalExecutor.Event) -> Void) { self.observe = observe }

  func next(_ order: [(Int, StudyRun)]) -> (Int, StudyRun)? {
    let position = position.add(1, ordering: .relaxed).oldValue
    return position < order.count ? order[position] : nil
  }

  func notify(_ event: LocalExecutor.Event) { serial.withLock { observe(event) } }
}
