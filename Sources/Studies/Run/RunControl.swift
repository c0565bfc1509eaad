/// How a run came to its end.
public enum RunOutcome: Hashable, Sendable {
  /// It did all that its configuration says.
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
  /// Those that the whole run takes.
  public var total: Int
  /// What it does just now, such as `trunk`, `endpoint 1 of epoch 5`, `merging`.
  public var phase: String

  /// How far a run is, in steps, and what it does.
  public init(done: Int, total: Int, phase: String) {
    (self.done, self.total, self.phase) = (done, total, phase)
  }
}

/// What a run says and asks while it works.
public struct RunControl: Sendable {
  /// Cheap enough for every step.
  public let report: @Sendable (RunProgress) -> Void
  /// Asked after every optimizer step: whether to write a checkpoint and stop.
  public let shouldStop: @Sendable () -> Bool

  /// - Parameters:
  ///   - report: is told how far the run is; by default nobody is
  ///   - shouldStop: by default never
  public init(
    report: @escaping @Sendable (RunProgress) -> Void = { _ in },
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) {
    self.report = report
    self.shouldStop = shouldStop
  }
}
