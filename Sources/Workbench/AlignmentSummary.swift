import Alignment
import Checkpoints
import Landscape
import Networks
import Torch
import Weights

/// What aligning networks found.
public struct AlignmentSummary: Encodable, Sendable {
  /// What happened to one network.
  public struct Network: Encodable, Sendable {
    /// The path it was read from
    public var file: String
    /// The path it was written to; nil: nowhere
    public var output: String?
    /// How many units changed places
    public var moved = 0
    /// Σ⟨A, πB⟩ and ‖A − πB‖ over the trained parameters, and the same before
    public var objective, formerObjective, distance, formerDistance: Double?
    /// Sweeps over all groups of weight matching
    public var sweeps: Int?
    /// Whether the last of them changed nothing
    public var isConverged: Bool?
    /// Mean correlation of the activations of matched units
    public var correlation, formerCorrelation: Double?
    /// Training loss of the midpoint, nats
    public var loss, formerLoss: Double?

    init(file: String) { self.file = file }

    mutating func count(_ permutations: [Permutation]) { moved = permutations.reduce(0) { $0 + $1.moved } }

    mutating func compare(_ symmetry: Symmetry, _ a: Weights, _ b: Weights, _ permutations: [Permutation]) throws {
      count(permutations)
      let trained = { (weights: Weights) in weights.filter { name, _ in !symmetry.buffers.contains(name) } }
      let (a, before, after) = (trained(a), trained(b), trained(try symmetry.apply(permutations, to: b)))
      (objective, formerObjective) = (try a.dot(after), try a.dot(before))
      (distance, formerDistance) = (try (a - after).norm(), try (a - before).norm())
    }
  }

  /// Losses along the straight line from the reference to another network.
  public struct Path: Encodable, Sendable {
    /// The other network, and what was done to both
    public var to, state: String
    /// λ, rising from 0 to 1
    public var positions: [Double]
    /// At each position
    public var measures: [PointMeasure]
    /// Loss above the line between the ends where it is highest, nats
    public var trainBarrier, testBarrier: Double?

    init(to: String, state: String, positions: [Double], measures: [PointMeasure]) {
      (self.to, self.state, self.positions, self.measures) = (to, state, positions, measures)
      let path = PathMeasure(shape: .line, positions: positions, points: measures)
      (trainBarrier, testBarrier) = (path.trainBarrier?.height, path.testBarrier?.height)
    }
  }

  /// How units were matched
  public var method: AlignmentMethod
  /// The path of the reference, or `mean`
  public var reference: String
  /// The seed of the order in which groups were matched
  public var seed: UInt64
  /// How many groups of units can change places among themselves, and how many units they have in all
  public var groups, units: Int
  /// Without the reference, which stays as it is
  public var networks: [Network] = []
  /// Root mean square distance from the mean, and the same before
  public var spread, formerSpread: Double?
  /// Rounds of aligning to the mean
  public var rounds: Int?
  /// What the paths were measured on.
  public var measured: String?
  /// Before and after, for each network but the first; empty without data
  public var paths: [Path] = []
  /// Where the mean of the aligned networks was written to.
  public var merged: String?

  init(method: AlignmentMethod, reference: String, seed: UInt64, groups: Int, units: Int) {
    (self.method, self.reference, self.seed, self.groups, self.units) = (method, reference, seed, groups, units)
  }
}
