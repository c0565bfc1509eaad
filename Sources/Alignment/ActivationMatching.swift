import Datasets
import Networks
import Torch
import Weights

/// Activation matching (Li et al. 2016; Ainsworth et al. 2023): units belong together whose activations correlate most
/// over examples.
///
/// Pearson's correlation over examples, pixels and tokens, in float64, summed over the places where a group's units are
/// read; one assignment a group. The groups do not depend on each other.
public struct ActivationMatching: Sendable, Hashable {
  /// How many to look at, the first of the source.
  public var examples: Int
  /// Examples at a time.
  public var batchSize: Int

  /// Matching by so many examples.
  public init(examples: Int = 1000, batchSize: Int = 100) { (self.examples, self.batchSize) = (examples, batchSize) }

  /// What was found.
  public struct Result: Sendable {
    /// One for each group of the symmetry.
    public let permutations: [Permutation]
    /// Mean correlation of the units that are matched with each other.
    public let correlation: Double
    /// The same before matching.
    public let former: Double
  }

  /// Matches B to A by what they do on the same examples.
  ///
  /// - Parameters:
  ///   - network: is put at both, and back where it stood
  ///   - report: is told the examples seen so far
  /// - Throws: `FileError` for weights that are not the network's; what reading the examples throws.
  public func match(
    _ b: Weights, to a: Weights, _ symmetry: Symmetry, of network: any Module, on source: any ExampleSource,
    report: (_ examples: Int) -> Void = { _ in }
  ) throws -> Result {
    try withoutGradients {
      var sums: [Symmetry.Site: CrossMoments] = [:]
      let count = min(examples, source.count)
      for start in stride(from: 0, to: count, by: max(1, batchSize)) {
        let batch = try source.batch(start..<min(start + batchSize, count))
        let ours = try network.at(a) { try symmetry.activations(of: network, batch.inputs) }
        let theirs = try network.at(b) { try symmetry.activations(of: network, batch.inputs) }
        for (site, ours) in ours {
          guard let theirs = theirs[site] else { continue }
          if sums[site] == nil { sums[site] = try CrossMoments(like: ours) }
          try sums[site]?.add(ours, theirs)
        }
        report(min(start + batchSize, count))
      }
      var (matched, former, units) = (0.0, 0.0, 0.0)
      let permutations = try symmetry.groups.indices.map { group in
        let size = symmetry.groups[group].count
        let found = sums.filter { $0.key.group == group }.sorted { $0.key.name < $1.key.name }
        guard !found.isEmpty else { return Permutation(identity: size) }
        let total = try Tensor.zeros([size, size], dtype: .float64)
        for (_, moments) in found { try total.addInPlace(moments.correlation() * (1 / Double(found.count))) }
        let assignment = try Assignment(of: total, largest: true)
        matched += assignment.total
        former += try total.diagonal().sum().item()
        units += Double(size)
        return Permutation(trusted: assignment.columns)
      }
      return Result(permutations: permutations, correlation: matched / max(1, units), former: former / max(1, units))
    }
  }
}

/// Sums over observations of two networks' units, of which correlations are made.
private struct CrossMoments {
  private var count = 0
  /// [block, units, 1] each
  private let sumA, sumB, squaresA, squaresB: Tensor
  /// [block, units of A, units of B]
  private let products: Tensor

  init(like activations: Tensor) throws {
    let (blocks, units) = (activations.shape[0], activations.shape[1])
    let zeros = { (last: Int) in try Tensor.zeros([blocks, units, last], dtype: .float64, device: activations.device) }
    (sumA, sumB, squaresA, squaresB) = (try zeros(1), try zeros(1), try zeros(1), try zeros(1))
    products = try zeros(units)
  }

  /// Activations [block, units, observations] of both networks.
  mutating func add(_ a: Tensor, _ b: Tensor) throws {
    count += a.shape[2]
    try sumA.addInPlace(a.sum([2], keep: true))
    try sumB.addInPlace(b.sum([2], keep: true))
    try squaresA.addInPlace(a.square().sum([2], keep: true))
    try squaresB.addInPlace(b.square().sum([2], keep: true))
    try products.addInPlace(a.matmul(b.transpose()))
  }

  /// [units of A, units of B], the mean over a unit's block. Units that never change correlate with none.
  func correlation() throws -> Tensor {
    let scale = 1 / Double(max(1, count))
    func deviation(_ squares: Tensor, _ sum: Tensor) throws -> Tensor {
      let mean = try sum * scale
      let variance = try squares * scale - mean.square()
      // Below what rounding leaves of a constant.
      let floor = try (squares * scale) * 1e-12
      return try variance.maskedFill(variance.lessOrEqual(floor), 0).sqrt()
    }
    let (a, b) = (try deviation(squaresA, sumA), try deviation(squaresB, sumB))
    let covariance = try products * scale - (sumA * scale).matmul((sumB * scale).transpose())
    let product = try a.matmul(b.transpose())
    return try (covariance / product.clamp(min: 1e-300)).maskedFill(product.equals(0.0), 0).mean([0]).to(.cpu)
  }
}
