import Support

/// How a run stands.
public struct RunState: Sendable {
  /// The run.
  public let run: StudyRun
  /// nil before the run was ever started.
  public let record: RunRecord?
  /// The living process that works on it.
  public let owner: FolderLock.Owner?
  /// Rows of results so far.
  public let resultCount: Int
  /// Why its files cannot be read.
  public let problem: String?

  /// What the record and the owner say together: a run whose process is gone is pending, and one that cannot be read
  /// failed.
  public var status: RunStatus {
    if let problem { return .failed(reason: problem) }
    guard let record else { return .pending }
    // Whoever was running it is gone: it will go on from its checkpoint.
    if record.status == .running, owner == nil { return .pending }
    return record.status
  }

  /// Done, or diverged, which is a result too.
  public var isComplete: Bool { status.isComplete }

  /// Whether it goes on from a checkpoint.
  public var wasInterrupted: Bool { status == .pending && (record?.attempts ?? 0) > 0 }

  /// Fraction of the steps done.
  public var fraction: Double {
    if isComplete { return 1 }
    guard let record, record.stepsTotal > 0 else { return 0 }
    return Double(record.stepsDone) / Double(record.stepsTotal)
  }
}
