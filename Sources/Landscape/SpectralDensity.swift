import Foundation
import Torch

/// The trace of a symmetric operator, estimated from random vectors of ±1 (Hutchinson 1990): E[vᵀ A v] = tr A.
public struct TraceEstimate: Codable, Hashable, Sendable {
  /// Over probes.
  public var mean: Double
  /// Of the mean; nil for one probe.
  public var standardError: Double?
  /// Random vectors.
  public var probes: Int

  init(_ samples: [Double]) {
    probes = samples.count
    let mean = samples.reduce(0, +) / Double(max(1, samples.count))
    self.mean = mean
    guard samples.count > 1 else { return }
    let squares = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    standardError = (squares / Double(samples.count - 1) / Double(samples.count)).squareRoot()
  }

  /// Estimates the trace.
  ///
  /// - Parameters:
  ///   - probes: random vectors, a product each
  ///   - seed: of the vectors
  /// - Throws: `LandscapeError` for no probes.
  public init(
    of operation: any SymmetricOperator, probes: Int, seed: UInt64 = 0, progress: (Int) -> Void = { _ in }
  ) throws {
    guard probes > 0 else { throw LandscapeError("\(probes) probes for a trace; expected 1 or more") }
    let generator = try Generator(seed: seed)
    self.init(
      try (0..<probes).map { index in
        let probe = try randomSigns(operation, generator)
        let image = try operation(probe)
        progress(index + 1)
        return try withoutGradients { try (image * probe).sum(dtype: .float64).item() }
      })
  }
}

/// How the eigenvalues of a symmetric operator are distributed, by stochastic Lanczos quadrature (Lin, Saad and Yang
/// 2016): the tridiagonal matrix of each of several random vectors gives nodes and weights of a Gauss quadrature of the
/// density.
public struct SpectralDensity: Codable, Hashable, Sendable {
  /// A place that stands for eigenvalues around it.
  public struct Node: Codable, Hashable, Sendable {
    /// Of the eigenvalue.
    public var value: Double
    /// The share of all eigenvalues that the node stands for; those of all nodes add up to 1.
    public var weight: Double
  }

  /// In rising order.
  public var nodes: [Node]
  /// Of the operator.
  public var dimension: Int
  /// Random vectors.
  public var probes: Int
  /// Products a probe
  public var steps: Int
  /// From the same probes: the sum of node times weight, times the dimension
  public var trace: TraceEstimate

  /// Estimates the density.
  ///
  /// - Parameters:
  ///   - probes: random vectors of ±1
  ///   - steps: products for each; the quadrature is exact for polynomials of degree 2 · steps − 1
  ///   - seed: of the vectors
  /// - Throws: `LandscapeError` for no probes or steps, or a product that is not finite.
  public init(
    of operation: any SymmetricOperator, probes: Int = 4, steps: Int = 30, seed: UInt64 = 0,
    progress: (Int) -> Void = { _ in }
  ) throws {
    guard probes > 0, steps > 0 else {
      throw LandscapeError("a density from \(probes) probes of \(steps) steps; expected 1 or more of both")
    }
    let generator = try Generator(seed: seed)
    let count = min(steps, operation.dimension)
    var nodes: [Node] = []
    var traces: [Double] = []
    for probe in 0..<probes {
      var space = try KrylovSpace(
        operation, from: randomSigns(operation, generator), capacity: count, generator: generator)
      repeat {
        try space.grow()
        progress(probe * count + space.count)
        // An exhausted space says all there is to say about the vector it came from.
      } while space.count < count && space.offDiagonal.last != 0
      let (values, vectors, _) = try space.eigen()
      let first = try vectors[0].array(Double.self)
      let own = zip(values, first).map { Node(value: $0, weight: $1 * $1) }
      traces.append(own.reduce(0) { $0 + $1.value * $1.weight } * Double(operation.dimension))
      nodes += own.map { Node(value: $0.value, weight: $0.weight / Double(probes)) }
    }
    (self.nodes, self.probes, self.steps) = (nodes.sorted { $0.value < $1.value }, probes, count)
    dimension = operation.dimension
    trace = TraceEstimate(traces)
  }

  /// The density, smoothed by normal distributions of deviation `width`, at each of `values`; its integral is 1.
  public func density(at values: [Double], width: Double) -> [Double] {
    values.map { value in
      nodes.reduce(0) { sum, node in
        let distance = (value - node.value) / width
        return sum + node.weight * exp(-distance * distance / 2) / (width * (2 * Double.pi).squareRoot())
      }
    }
  }
}

/// A vector of ±1, each with probability 1/2.
private func randomSigns(_ operation: any SymmetricOperator, _ generator: Generator) throws -> Tensor {
  try (Tensor.integers(in: 0..<2, shape: [operation.dimension], generator: generator).to(.float32) * 2 - 1)
    .to(operation.device)
}
