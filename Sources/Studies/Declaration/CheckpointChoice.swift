import Schema
import Training

/// Which weights stay on disk.
public struct CheckpointChoice: Codable, Hashable, Sendable {
  /// Weights that stay on the disk.
  public enum Keep: String, Codable, CaseIterable, Sendable {
    /// the decayed endpoints
    case endpoints
    /// the trunk's branch points
    case trunk
    /// endpoints and branch points
    case all
    /// nothing once the run is done
    case none
  }
  /// How often a state to resume from is written.
  public var every: TrainingLength
  /// Which weights stay on the disk.
  public var keep: Keep

  /// By default a state every epoch, and the endpoints' weights.
  public init(every: TrainingLength = .epochs(1), keep: Keep = .endpoints) {
    self.every = every
    self.keep = keep
  }
}

extension CheckpointChoice {
  static let section = Section(CheckpointChoice()) {
    Key(
      "every", \.every, .length(isPositive: true),
      "how often a state is written for a killed run to go on from")
    Key("keep", \.keep, .choice, "which weights stay on the disk when a branch point is done")
  }
}
