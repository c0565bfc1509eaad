import Foundation

/// How far a study is and when it will be done, kept up to date from an executor's events.
public struct StudyTally: Sendable {
  /// A run that is being performed.
  public struct Active: Sendable {
    /// The run.
    public let run: StudyRun
    /// When its worker started.
    public let started: Date
    /// nil until the worker first reports.
    public fileprivate(set) var progress: RunProgress?
    fileprivate var firstDone: (steps: Int, time: Date)?

    /// The part of its steps that is done, 0 … 1.
    public var fraction: Double { progress.map { Double($0.done) / Double(max(1, $0.total)) } ?? 0 }

    /// Seconds, from this attempt's rate so far.
    public func timeLeft(at now: Date) -> Double? {
      guard let progress, let firstDone, progress.done > firstDone.steps else { return nil }
      let rate = Double(progress.done - firstDone.steps) / max(1e-3, now.timeIntervalSince(firstDone.time))
      return Double(progress.total - progress.done) / rate
    }
  }

  /// All runs of the study.
  public private(set) var total: Int
  /// Done or diverged, earlier sessions included.
  public private(set) var complete: Int
  /// Runs that diverged in this session.
  public private(set) var diverged: [StudyRun] = []
  /// Runs that failed in this session, and why.
  public private(set) var failed: [(run: StudyRun, reason: String)] = []
  /// Runs that another process works on, and which.
  public private(set) var held: [(run: StudyRun, owner: String)] = []
  /// Runs that workers of this executor work on.
  public private(set) var active: [Active] = []
  private let costs: [String: Double]
  private let totalCost: Double
  private var settledCost: Double
  private var marks: [(time: Date, cost: Double)] = []

  /// - Parameters:
  ///   - states: all runs of the study
  ///   - cost: what a run costs, in any unit
  public init(_ states: [RunState], cost: (StudyRun) -> Double = LocalExecutor.usualCost) {
    costs = states.reduce(into: [:]) { $0[$1.run.id] = cost($1.run) }
    total = states.count
    complete = states.filter(\.isComplete).count
    totalCost = costs.values.reduce(0, +)
    settledCost = states.filter(\.isComplete).reduce(0) { $0 + cost($1.run) }
  }

  /// Takes in what an executor observed.
  public mutating func note(_ event: LocalExecutor.Event, at now: Date = Date()) {
    switch event {
    case .started(let run):
      active.append(Active(run: run, started: now))
    case .progress(let run, let progress):
      guard let index = active.firstIndex(where: { $0.run.id == run.id }) else { return }
      // What an earlier attempt did does not count for the rate.
      if active[index].firstDone == nil {
        active[index].firstDone = (progress.done, now)
        marks = marks.map { ($0.time, $0.cost + costDone(run, progress)) }
      }
      active[index].progress = progress
    case .ended(let run, let ending):
      active.removeAll { $0.run.id == run.id }
      switch ending {
      case .done, .diverged:
        complete += 1
        settledCost += costs[run.id] ?? 0
        if case .diverged = ending { diverged.append(run) }
      case .failed(let reason):
        failed.append((run, reason))
        settledCost += costs[run.id] ?? 0
      case .held(let owner):
        held.append((run, owner))
        settledCost += costs[run.id] ?? 0
      case .stopped: break
      }
    }
    marks.append((now, doneCost))
    // The last two minutes, so that the estimate follows a change of speed; but few marks.
    while marks.count > 2, now.timeIntervalSince(marks[1].time) > 120 || marks.count > 2000 { marks.removeFirst() }
  }

  private func costDone(_ run: StudyRun, _ progress: RunProgress?) -> Double {
    guard let progress else { return 0 }
    return (costs[run.id] ?? 0) * Double(progress.done) / Double(max(1, progress.total))
  }

  private var doneCost: Double { active.reduce(settledCost) { $0 + costDone($1.run, $1.progress) } }

  /// Of the whole study, by cost.
  public var fraction: Double { totalCost > 0 ? min(1, doneCost / totalCost) : 1 }

  /// Seconds until the whole study is done; nil while there is nothing to go by.
  public func timeLeft(at now: Date = Date()) -> Double? {
    guard let first = marks.first, let last = marks.last, last.cost > first.cost else { return nil }
    let rate = (last.cost - first.cost) / max(1e-3, now.timeIntervalSince(first.time))
    // At the end the workers that are left decide, not the average.
    return max((totalCost - doneCost) / rate, active.compactMap { $0.timeLeft(at: now) }.max() ?? 0)
  }
}
