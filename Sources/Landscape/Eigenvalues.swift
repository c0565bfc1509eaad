import Torch

/// Eigenvalues at the ends of a symmetric operator's spectrum, found by Lanczos with full reorthogonalisation.
public struct Eigenvalues: Codable, Hashable, Sendable {
  /// An eigenvalue, and how well it was found.
  public struct Pair: Codable, Hashable, Sendable {
    /// λ
    public var value: Double
    /// ‖A v − λ v‖ for the eigenvector v of length 1 that was found
    public var residual: Double
  }

  /// The largest first
  public var largest: [Pair]
  /// The smallest first
  public var smallest: [Pair]
  /// Products of the operator with a vector that it took
  public var products: Int
  /// Whether every residual is at most `tolerance` times the largest absolute eigenvalue.
  public var converged: Bool
  /// Largest residual over largest absolute eigenvalue that was asked for.
  public var tolerance: Double
  /// Whether residuals were worked out from products of their own rather than from the recurrence.
  public var verified: Bool

  /// Finds the `largest` largest and the `smallest` smallest eigenvalues, one Krylov space for both.
  ///
  /// A multiple eigenvalue is found as often as the space was begun anew; the Hessians of networks have none but 0.
  ///
  /// - Parameters:
  ///   - tolerance: largest residual over largest absolute eigenvalue
  ///   - budget: products to spend at most; what was found by then is returned, `converged` false
  ///   - seed: of the first vector
  ///   - verifies: work every residual out by a product of its own, beyond the budget
  ///   - progress: is told the products done and the largest relative residual among the pairs wanted
  /// - Throws: `LandscapeError` when more are wanted than there are, or a product is not finite.
  public init(
    of operation: any SymmetricOperator, largest: Int, smallest: Int = 0, tolerance: Double = 1e-3, budget: Int = 200,
    seed: UInt64 = 0, verifies: Bool = false, progress: (Int, Double) -> Void = { _, _ in }
  ) throws {
    let wanted = largest + smallest
    guard wanted > 0, min(largest, smallest) >= 0, wanted <= operation.dimension, budget >= wanted else {
      throw LandscapeError(
        "\(wanted) eigenvalues of an operator of \(operation.dimension) dimensions by at most \(budget) products; "
          + "expected from 1 to \(min(operation.dimension, budget))")
    }
    let generator = try Generator(seed: seed)
    let start = try Tensor.normal([operation.dimension], generator: generator).to(operation.device)
    var space = try KrylovSpace(operation, from: start, capacity: budget, generator: generator)
    var found: (values: [Double], vectors: Tensor, residuals: [Double])
    var columns: [Int]
    repeat {
      try space.grow()
      found = try space.eigen()
      let count = space.count
      columns =
        (0..<min(largest, count)).map { count - 1 - $0 } + (0..<min(smallest, max(0, count - largest))).map { $0 }
      let scale = max(abs(found.values[0]), abs(found.values[count - 1]), .leastNormalMagnitude)
      let worst = columns.map { found.residuals[$0] / scale }.max() ?? 0
      // A space just begun anew has yet to show what it holds.
      let isSettled = space.isComplete || (space.offDiagonal.last != 0 && space.sinceRestart >= min(wanted, count))
      converged = columns.count == wanted && worst <= tolerance && isSettled
      progress(count, columns.count == wanted ? worst : .infinity)
    } while !converged && space.count < budget && !space.isComplete
    var pairs = columns.map { Pair(value: found.values[$0], residual: found.residuals[$0]) }
    if verifies {
      let vectors = try space.vectors(columns, of: found.vectors)
      for index in pairs.indices {
        let vector = try vectors[index]
        let image = try operation(vector)
        pairs[index].residual = try withoutGradients {
          try (image - vector * pairs[index].value).norm(dtype: .float64).item()
        }
      }
      let scale = pairs.map { abs($0.value) }.max() ?? 0
      converged = converged && pairs.allSatisfy { $0.residual <= tolerance * scale }
    }
    self.largest = Array(pairs.prefix(largest))
    self.smallest = Array(pairs.dropFirst(largest))
    products = space.count + (verifies ? pairs.count : 0)
    self.tolerance = tolerance
    verified = verifies
  }
}
