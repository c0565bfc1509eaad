import Networks
import Support
import Torch
import Weights

/// Several networks brought together with none of them as the reference: each in turn is matched by its weights to the
/// mean of the others, in random order, until a round changes nothing (Ainsworth et al. 2023, MergeMany). Σ‖θᵢ − mean‖²
/// never rises.
public struct MeanAlignment: Sendable, Hashable {
  /// How one network is matched to the mean of the others; its seed decides their order too.
  public var matching: WeightMatching
  /// A round matches every network once.
  public var maximumRounds: Int

  /// An alignment that ends after `maximumRounds` at the latest.
  public init(matching: WeightMatching = WeightMatching(), maximumRounds: Int = 20) {
    (self.matching, self.maximumRounds) = (matching, maximumRounds)
  }

  /// What was found.
  public struct Result: Sendable {
    /// For each network, one for each group of the symmetry.
    public let permutations: [[Permutation]]
    /// √(Σ‖θᵢ − mean‖² / networks) over the trained parameters
    public let spread: Double
    /// The same before alignment.
    public let former: Double
    /// Including the last one, without change.
    public let rounds: Int
    /// Whether the last round changed nothing.
    public let isConverged: Bool
  }

  /// Aligns networks, which must be those of the symmetry.
  ///
  /// - Parameter report: is told the rounds done, from 1, and the spread
  /// - Throws: `AlignmentError` for fewer than two networks, and for weights that are not the symmetry's, or not
  ///   finite.
  public func match(
    _ networks: [Weights], _ symmetry: Symmetry, report: (_ round: Int, _ spread: Double) -> Void = { _, _ in }
  ) throws -> Result {
    guard networks.count > 1 else {
      throw AlignmentError("two networks or more are needed to align them to their mean")
    }
    let trained = networks.map {
      $0.filter { name, tensor in
        !symmetry.buffers.contains(name) && tensor.dtype.isFloatingPoint
      }
    }
    var permutations = networks.map { _ in symmetry.identity }
    var aligned = trained
    let former = try Self.spread(trained)
    var random = SplitMix64(matching.seed, 0x3EA7)
    for round in 1...max(1, maximumRounds) {
      var isChanged = false
      for index in Permutation(random: networks.count, using: &random).indices {
        var mean = Weights()
        for (place, weights) in aligned.enumerated() where place != index {
          mean = try mean.isEmpty ? weights : mean + weights
        }
        let found = try matching.match(
          trained[index], to: (1 / Double(networks.count - 1)) * mean, symmetry, from: permutations[index])
        guard found.permutations != permutations[index] else { continue }
        isChanged = true
        permutations[index] = found.permutations
        aligned[index] = try symmetry.apply(found.permutations, to: trained[index])
      }
      report(round, try Self.spread(aligned))
      guard isChanged, round < maximumRounds else {
        return Result(
          permutations: permutations, spread: try Self.spread(aligned), former: former, rounds: round,
          isConverged: !isChanged)
      }
    }
    throw AlignmentError("aligning needs one round or more")
  }

  private static func spread(_ networks: [Weights]) throws -> Double {
    var sum = networks[0]
    for weights in networks.dropFirst() { sum = try sum + weights }
    let mean = try (1 / Double(networks.count)) * sum
    let squares = try networks.reduce(0.0) { total, weights in
      let distance = try (weights - mean).norm()
      return total + distance * distance
    }
    return (squares / Double(networks.count)).squareRoot()
  }
}
