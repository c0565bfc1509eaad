import Schema
import Training

/// Where endpoints branch from the trunk.
public struct BranchChoice: Codable, Hashable, Sendable {
  /// Distance between branch points; nil: only the trunk's end branches, or, where the schedule has no trunk, the
  /// start.
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

  /// By default pairs, every 5 epochs of the trunk.
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

extension BranchChoice {
  static let section = Section(BranchChoice()) {
    Key(
      "every", \.every, .length(isPositive: true), takesNone: true, words: "5 epochs; none with warmup-cosine",
      "the distance between branch points; none: only the trunk's end branches")
    Key("from", \.from, .length, takesNone: true, words: "`every`", "the first branch point, as a length of the trunk")
    Key(
      "endpoints", \.endpoints, .integer(.within(2...64)), words: "2, or one for each task and learning rate",
      "how many endpoints each branch point has")
    Key(
      "initialisation", \.initialisation, .choice, absent: .shared, synonyms: ["initialization", "init"],
      "where endpoints of a run without a trunk start: from one point, or each from weights of its own")
  }
}
