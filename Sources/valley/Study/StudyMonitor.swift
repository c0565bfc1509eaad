import Foundation
import Studies

/// Shows an executor's events: a line for the study, one for each run at work, and lines that stay for what is over.
final class StudyMonitor: @unchecked Sendable {
  private let mutex = NSLock()
  private let name: String
  private let start = Date()
  private let block = StatusBlock()
  private var current: StudyTally

  init(_ name: String, _ states: [RunState]) {
    self.name = name
    current = StudyTally(states)
  }

  var tally: StudyTally { mutex.withLock { current } }

  func say(_ text: String) { mutex.withLock { block.print(text) } }

  func note(_ event: LocalExecutor.Event) {
    mutex.withLock {
      let now = Date()
      var isOver = false
      if case .ended(let run, let ending) = event {
        isOver = true
        let started = current.active.first { $0.run.id == run.id }?.started ?? now
        block.print(Self.line(run, ending, seconds: now.timeIntervalSince(started)))
      }
      current.note(event, at: now)
      block.show(lines(now), now: now, isUrgent: isOver && Terminal.isErrorTerminal)
    }
  }

  private static func line(_ run: StudyRun, _ ending: LocalExecutor.Ending, seconds: Double) -> String {
    let how =
      switch ending {
      case .done: "done in \(clock(seconds))"
      case .diverged(let step): "diverged at step \(step), after \(clock(seconds))"
      case .failed(let reason): "failed: \(reason.split(separator: "\n").first ?? "")"
      case .stopped: "stopped"
      case .held: "in use elsewhere"
      }
    return "\(run.id)  \(run.label)  \(how)"
  }

  private func lines(_ now: Date) -> [String] {
    let failed = current.failed.isEmpty ? "" : ", \(current.failed.count) failed"
    let head =
      "\(name) \(bar(current.fraction, width: 20)) \(current.complete)/\(current.total) runs, "
      + "\(Int(current.fraction * 100)) %, \(clock(now.timeIntervalSince(start))) in, "
      + "\(clock(current.timeLeft(at: now))) left\(failed)"
    return [head]
      + current.active.map { active in
        let progress = active.progress
        return
          "  \(bar(active.fraction, width: 10)) \(active.run.label)  \(progress?.done ?? 0)/\(progress?.total ?? 0) "
          + "\(progress?.phase ?? "starting")  \(clock(active.timeLeft(at: now))) left"
      }
  }
}
