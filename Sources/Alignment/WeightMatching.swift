import Networks
import Support
import Torch
import Weights

/// Weight matching (Ainsworth et al. 2023, Git Re-Basin): the permutations π of a network's units that bring its
/// weights B closest to another's A, by maximising Σ⟨A, πB⟩.
///
/// From the identity on, every group of units is matched in turn while the others stand: an assignment whose gains are
/// sums over the parameters that the group moves. Sweeps over the groups in random order end when one brings no
/// progress. The objective never falls; it ends in a local maximum, so that further starts can do better.
public struct WeightMatching: Sendable, Hashable {
  /// Of the order in which groups of units are matched, and of further starts.
  public var seed: UInt64
  /// How often to start: first at the identity, then at random permutations. The best end is kept.
  public var starts: Int
  /// For each start; a sweep matches every group once.
  public var maximumSweeps: Int

  /// A matching from so many starts.
  public init(seed: UInt64 = 0, starts: Int = 1, maximumSweeps: Int = 100) {
    (self.seed, self.starts, self.maximumSweeps) = (seed, starts, maximumSweeps)
  }

  /// What was found.
  public struct Result: Sendable {
    /// One for each group of the symmetry.
    public let permutations: [Permutation]
    /// Σ⟨A, πB⟩ over the trained parameters
    public let objective: Double
    /// Σ⟨A, B⟩
    public let former: Double
    /// Of the start that was kept, including the last one, without progress.
    public let sweeps: Int
    /// Whether the last sweep brought no progress.
    public let isConverged: Bool
  }

  /// Matches B to A.
  ///
  /// - Parameters:
  ///   - start: where the first start begins; nil: the identity
  ///   - report: is told the start, the sweep, both from 0, and the objective after each sweep
  /// - Throws: `AlignmentError` for weights that are not the network's, or not finite.
  public func match(
    _ b: Weights, to a: Weights, _ symmetry: Symmetry, from start: [Permutation]? = nil,
    report: (_ start: Int, _ sweep: Int, _ objective: Double) throws -> Void = { _, _, _ in }
  ) throws -> Result {
    try withoutGradients { try solve(MatchingProblem(b, to: a, symmetry), symmetry, from: start, report: report) }
  }

  func solve(
    _ problem: MatchingProblem, _ symmetry: Symmetry, from start: [Permutation]?,
    report: (_ start: Int, _ sweep: Int, _ objective: Double) throws -> Void = { _, _, _ in }
  ) throws -> Result {
    if let start { try symmetry.require(start) }
    return try withoutGradients {
      problem.permutations = symmetry.identity
      let former = try problem.objective()
      var best: Result?
      for index in 0..<max(1, starts) {
        var random = SplitMix64(seed, UInt64(index))
        problem.permutations =
          index == 0
          ? start ?? symmetry.identity : symmetry.groups.map { Permutation(random: $0.count, using: &random) }
        var (sweeps, isConverged) = (0, symmetry.groups.isEmpty)
        var objective = try problem.objective()
        while sweeps < maximumSweeps, !isConverged {
          isConverged = true
          for group in Permutation(random: symmetry.groups.count, using: &random).indices {
            let gain = try problem.improve(group)
            objective += gain
            if gain > 0 { isConverged = false }
          }
          try report(index, sweeps, objective)
          sweeps += 1
        }
        objective = try problem.objective()
        if best.map({ objective > $0.objective }) ?? true {
          best = Result(
            permutations: problem.permutations, objective: objective, former: former, sweeps: sweeps,
            isConverged: isConverged)
        }
      }
      guard let best else { throw AlignmentError("weight matching needs one start or more") }
      return best
    }
  }
}
