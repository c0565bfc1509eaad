import Schema
import Training

/// Which weights stay on disk.
public struct CheckpointChoice: Codable, Hashable, Sendable {
  public enum Keep: String, Codable, CaseIterable, Sendable {
    /// the decayed endpoints
    case endpoints
    /// the trunk's branch points
    case trunk
    case all
    /// nothing once the run is done
    case none
  }
  /// How often a state to resume from is written.
  public var every: TrainingLength
  public var keep: Keep

  public init(every: TrainingLength = .epochs(1), keep: Keep = .endpoints) {
    self.every = every
    self.keep = keep
  }
}

extension CheckpointChoice {
  static let section = Section(CheckpointChoice()) {
    Key(
      "every", \.every, .length(isPositive: true),
      "how often a state is written from which a run that was killed goes on")
    Key("keep", \.keep, .choice, "which weights stay on the disk when a branch point is done")
  }
}
