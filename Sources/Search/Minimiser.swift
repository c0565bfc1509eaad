import Support

/// Finds the point of a space where something costly is least, by asking for one evaluation after the other.
///
/// ```swift
/// let space = try SearchSpace([.number("a", from: 0, to: 1), .number("b", from: 1e-4, to: 1, scale: .log)])
/// var minimiser = Minimiser(space, by: .gaussianProcess, seed: 1)
/// for _ in 0..<40 {
///   let point = minimiser.ask()
///   minimiser.tell(point, loss(point[0], point[1]))
/// }
/// print(minimiser.best)
/// ```
///
/// What is asked for depends on the space, the algorithm, the seed and what was told so far, and on nothing else:
/// telling the observations of an interrupted search again, in their order, continues it as if nothing had happened.
/// Points may be told that were not asked for.
public struct Minimiser: Sendable {
  /// How the next point to try is chosen.
  public enum Algorithm: String, Sendable, Hashable, Codable, CaseIterable {
    /// Expected improvement under a Gaussian process: for few dimensions and evaluations that take seconds or more.
    case gaussianProcess = "gp"
    /// Covariance matrix adaptation: for ten dimensions or more and hundreds of evaluations.
    case covarianceMatrixAdaptation = "cma-es"
    /// Uniform: what others have to beat.
    case random
  }

  /// An evaluated point.
  public struct Observation: Sendable, Hashable, Codable {
    /// A value for each dimension; of a choice its index.
    public var point: [Double]
    /// Lower is better. NaN and infinities stand for a failed evaluation and count as the worst.
    public var value: Double

    /// What `value` was found at `point`.
    public init(point: [Double], value: Double) { (self.point, self.value) = (point, value) }
  }

  /// What may be chosen.
  public let space: SearchSpace
  /// How the next point to try is chosen.
  public let algorithm: Algorithm
  /// What random choices follow from.
  public let seed: UInt64
  /// In the order in which they were told.
  public private(set) var observations: [Observation] = []
  private var adaptation: CovarianceMatrixAdaptation?

  /// - Parameters:
  ///   - observations: what an earlier search with the same settings was told
  public init(
    _ space: SearchSpace, by algorithm: Algorithm, seed: UInt64 = 0, observations: [Observation] = []
  ) {
    (self.space, self.algorithm, self.seed) = (space, algorithm, seed)
    if algorithm == .covarianceMatrixAdaptation {
      adaptation = CovarianceMatrixAdaptation(dimensions: space.width, seed: seed)
    }
    for observation in observations { tell(observation.point, observation.value) }
  }

  /// The next point to evaluate: a value for each dimension. Asked again before anything is told, it is the same.
  public func ask() -> [Double] {
    switch algorithm {
    case .gaussianProcess: return GaussianProcessSearch(space, seed: seed).next(observations)
    case .covarianceMatrixAdaptation: return space.point(adaptation?.next() ?? [])
    case .random:
      var random = SplitMix64(seed, UInt64(observations.count), salt: .search)
      return space.point((0..<space.width).map { _ in random.uniformDouble() })
    }
  }

  /// Takes the value at a point; lower is better, and NaN is a failure.
  ///
  /// - Parameter point: a value for each dimension; a point with another number of them is ignored.
  public mutating func tell(_ point: [Double], _ value: Double) {
    guard point.count == space.dimensions.count else { return }
    if let next = adaptation?.next() {
      // A point of its own is known exactly, before it was rounded to whole numbers.
      adaptation?.tell(space.point(next) == point ? next : space.unit(point), value)
    }
    observations.append(Observation(point: point, value: value))
  }

  /// The lowest value so far, the first of several; nil where no evaluation succeeded.
  public var best: Observation? {
    observations.filter(\.value.isFinite).reduce(nil) { best, next in
      best.map { next.value < $0.value ? next : $0 } ?? next
    }
  }
}
