import ArgumentParser
import Foundation
import Studies
import Workbench

/// `valley study run`: performs what is still to do of a study.
struct StudyRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run a study, or continue it where it stopped.",
    discussion: """
      Runs that are done (or diverged) are kept, interrupted ones continue from their last checkpoint, failed ones are \
      tried again. Ctrl-C lets every worker finish its step and write a checkpoint; a second Ctrl-C ends them at once. \
      The exit code is 1 if runs failed, 130 if the study was interrupted, 75 if runs are in use by another process.

      EXAMPLES
        valley study run studies/demo.yaml
        valley study run studies/demo.yaml --jobs 2 --threads 1 --out /data/demo
        valley study run studies/demo.yaml --fresh --yes
        valley study run fig1 --scale smoke -o out/fig1
      """)

  @OptionGroup var choice: StudyChoice
  @Option(
    name: [.customShort("o"), .long],
    help: "The study's folder; for a figure with panels, the folder that holds theirs.  (default: out/<study>-<scale>)")
  var out: String?
  @Option(help: "Worker processes at a time.  (default: one per processor, at most 8; 1 on a GPU)") var jobs: Int?
  @Option(help: "Threads of each worker.  (default: processors / jobs)") var threads: Int?
  @Flag(help: "Delete what the study's runs have produced and start over; needs --yes.") var fresh = false
  @Flag(help: "Delete without asking.") var yes = false
  @Flag(help: "Print a summary as JSON at the end.") var json = false

  func validate() throws {
    if let jobs, !(1...1024).contains(jobs) { throw ValidationError("--jobs is \(jobs); expected 1 … 1024") }
    try validateThreads(threads)
  }

  struct Summary: Encodable {
    struct Failure: Encodable { var run, label, reason: String }
    var study, folder: String
    var runs, complete: Int
    var diverged: [String]
    var failed: [Failure]
    var inUse: [String]
    var interrupted: Bool
  }

  func run() throws {
    let declarations = try choice.declarations()
    let studies = try declarations.map { try $0.study(scale: choice.scale) }
    var codes: [ExitCode] = []
    var summaries: [Summary] = []
    for (declaration, study) in zip(declarations, studies) {
      let name = study.name + (study.scale.map { "-\($0.rawValue)" } ?? "")
      let folder = out.map { studies.count > 1 ? "\($0)/\(study.name)" : $0 } ?? "out/\(name)"
      let (summary, code) = try perform(
        StudyFolder(URL(fileURLWithPath: folder), for: declaration, scale: study.scale))
      summaries.append(summary)
      codes.append(code)
      if summary.interrupted { break }
    }
    if json { try summaries.count == 1 && studies.count == 1 ? printJSON(summaries[0]) : printJSON(summaries) }
    if let code = codes.first(where: { $0 != .success }) { throw code }
  }

  private func perform(_ folder: StudyFolder) throws -> (Summary, ExitCode) {
    let name = folder.study.name
    if fresh { try deleteResults(folder) }
    let states = try folder.states(StudyIndex(folder.url))
    let todo = states.filter { !$0.isComplete }
    var executor = LocalExecutor(
      command: [try executablePath(), "run-worker", "--watch-input"], jobs: jobs ?? folder.study.usualJobs,
      threads: threads)
    if threads == nil {
      // The same number of threads gives the same bits.
      for state in todo where state.wasInterrupted {
        executor.resumedThreads[state.run.id] = state.record?.versions?.threads
      }
    }
    announce(folder, states, todo, executor)

    let monitor = StudyMonitor(name, states)
    let stop = LocalExecutor.Stop()
    let signals = StopSignals {
      if !stop.isRequested {
        monitor.say("stopping: each run finishes its step and writes a checkpoint; Ctrl-C again ends them at once")
      }
      stop.request()
    }
    let endings = executor.perform(todo.map(\.run), in: folder, stop: stop) { monitor.note($0) }
    signals.cancel()
    let isInterrupted = endings.count < todo.count || endings.contains { $0.ending == .stopped }
    return try finish(folder, monitor.tally, isInterrupted: isInterrupted)
  }

  private func announce(_ folder: StudyFolder, _ states: [RunState], _ todo: [RunState], _ executor: LocalExecutor) {
    let undeclared = folder.undeclared
    if !undeclared.isEmpty {
      Terminal.writeError(
        "ignored: \(counted(undeclared.count, "run")) in \(folder.url.path)/runs "
          + "that the study no longer declares (\(undeclared.prefix(3).joined(separator: ", "))"
          + "\(undeclared.count > 3 ? ", …" : ""))\n")
    }
    let resumed = todo.filter(\.wasInterrupted).count
    Terminal.writeError(
      "\(folder.study.name): \(states.count) runs, \(states.count - todo.count) done, \(todo.count) to do"
        + (resumed > 0 ? " (\(resumed) from a checkpoint)" : "")
        + "; \(executor.jobs) at a time, \(counted(executor.threads, "thread")) each; "
        + "in \(folder.url.relativePath)\n")
  }

  private func deleteResults(_ folder: StudyFolder) throws {
    let started = try folder.states(StudyIndex(folder.url)).filter { $0.record != nil }
    guard !started.isEmpty else { return }
    guard yes else {
      throw ValidationError(
        "--fresh would delete the results and checkpoints of \(started.count) runs in \(folder.url.path)/runs; "
          + "add --yes to do so")
    }
    try folder.deleteResults()
  }

  private func finish(_ folder: StudyFolder, _ tally: StudyTally, isInterrupted: Bool) throws -> (Summary, ExitCode) {
    // What other processes did meanwhile counts too.
    let states = try folder.states(StudyIndex(folder.url))
    let complete = Set(states.filter(\.isComplete).map(\.run.id))
    let held = tally.held.filter { !complete.contains($0.run.id) }
    let summary = Summary(
      study: folder.study.name, folder: folder.url.path, runs: tally.total, complete: complete.count,
      diverged: states.filter { $0.status.name == "diverged" }.map(\.run.id),
      failed: tally.failed.map { .init(run: $0.run.id, label: $0.run.label, reason: $0.reason) },
      inUse: held.map(\.run.id), interrupted: isInterrupted)
    for failure in summary.failed {
      Terminal.writeError("failed: \(failure.label) (runs/\(failure.run)): \(failure.reason)\n")
    }
    for (run, owner) in held { Terminal.writeError("left alone: \(run.label) is in use by \(owner)\n") }
    let diverged = summary.diverged.isEmpty ? "" : " (\(summary.diverged.count) diverged)"
    Terminal.writeError(
      "\(summary.complete) of \(summary.runs) runs done\(diverged)"
        + "\(isInterrupted ? "; run the same command to continue" : "")\n")
    if isInterrupted { return (summary, ExitCode(130)) }
    if !summary.failed.isEmpty { return (summary, ExitCode(1)) }
    return (summary, summary.inUse.isEmpty ? .success : ExitCode(75))
  }

  private func executablePath() throws -> String {
    guard let path = Bundle.main.executablePath else {
      throw CommandError("cannot tell where the valley executable is")
    }
    return path
  }
}
