/// The state of a run.
public enum RunStatus: Codable, Hashable, Sendable {
  case pending
  case running
  case done
  /// It ended with an error, whose text is kept.
  case failed(reason: String)
  /// The training loss became NaN or infinite at this step; such a run counts as completed.
  case diverged(step: Int)
}

extension RunStatus {
  /// Whether it is done, or diverged, which is a result too.
  public var isComplete: Bool {
    switch self {
    case .done, .diverged: true
    case .pending, .running, .failed: false
    }
  }

  /// One word, such as `diverged`.
  public var name: String {
    switch self {
    case .pending: "pending"
    case .running: "running"
    case .done: "done"
    case .failed: "failed"
    case .diverged: "diverged"
    }
  }
}
