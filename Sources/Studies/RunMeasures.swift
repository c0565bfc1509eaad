import Training

extension RunConfiguration {
  /// Where endpoints branch from the trunk.
  public struct Branch: Codable, Hashable, Sendable {
    /// Distance between branch points; nil: only the trunk's end branches, or, where the schedule has no trunk, the start.
    public var every: TrainingLength?
    /// The first trunk length that branches; nil: `every`.
    public var from: TrainingLength?
    /// Endpoints per branch point, at least 2.
    public var endpoints: Int
    /// Where endpoints of a run without a trunk start.
    public enum Initialisation: String, Codable, CaseIterable, Sendable {
      /// from one point
      case shared
      /// each from weights drawn for itself
      case own
    }
    /// nil: shared.
    public var initialisation: Initialisation?

    public init(
      every: TrainingLength? = .epochs(5), from: TrainingLength? = nil, endpoints: Int = 2,
      initialisation: Initialisation = .shared
    ) {
      self.every = every
      self.from = from
      self.endpoints = endpoints
      // Left out where nothing is asked for, so that a run has one configuration however it is written.
      self.initialisation = initialisation == .own ? .own : nil
    }
  }

  /// What is measured along the way.
  public struct Measure: Codable, Hashable, Sendable {
    public struct Noise: Codable, Hashable, Sendable {
      public var every: TrainingLength
      public var microbatches: Int

      public init(every: TrainingLength = .steps(100), microbatches: Int = 8) {
        self.every = every
        self.microbatches = microbatches
      }
    }
    /// Gradient noise on the trunk; nil: not measured.
    public var noise: Noise?
    /// p in S̃ = η / (B (1−μ)^p): 1 or 2.
    public var momentumExponent: Int
    /// nil: not measured.
    public var landscape: Landscape?

    public init(noise: Noise? = .init(), momentumExponent: Int = 1, landscape: Landscape? = nil) {
      self.noise = noise
      self.momentumExponent = momentumExponent
      self.landscape = landscape
    }
  }

  /// Which weights stay on disk.
  public struct CheckpointPolicy: Codable, Hashable, Sendable {
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
}
