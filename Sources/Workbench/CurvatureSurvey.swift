import Checkpoints
import Foundation
import Landscape
import Torch
import Weights

/// The Hessian of the mean cross-entropy over fixed examples at weights, with respect to all trained parameters, the
/// network being in evaluation mode: eigenvalues, trace, density, and the curvature towards another network.
///
///     let bench = try Bench(["a.safetensors"], from: source)
///     let found = try CurvatureSurvey(top: 4).measure(bench)
///     print(found.networks[0].eigenvalues?.largest.first?.value ?? .nan)
public struct CurvatureSurvey: Hashable, Sendable {
  /// How many of the largest and of the smallest eigenvalues to find.
  public var top, bottom: Int
  /// The largest residual ‖Hv − λv‖, over the largest absolute eigenvalue.
  public var tolerance: Double
  /// The most Hessian–vector products to spend on eigenvalues.
  public var budget: Int
  /// Whether to check every residual with a product of its own, beyond the budget.
  public var verifies: Bool
  /// How many random vectors to estimate the trace from, one product each; 0 for no estimate.
  public var traceProbes: Int
  /// How to estimate the density of all eigenvalues, and with it the trace; nil for no estimate.
  public var density: Density?
  /// Whether the last of the weights is not measured itself, but is what the curvature at each of the others is
  /// measured towards.
  public var towardsLast: Bool
  /// The seed of the random vectors.
  public var seed: UInt64

  /// How a density is estimated.
  public struct Density: Hashable, Sendable {
    /// Random vectors
    public var probes: Int
    /// Products for each of them
    public var steps: Int

    /// By default, 4 vectors with 30 products each.
    public init(probes: Int = 4, steps: Int = 30) { (self.probes, self.steps) = (probes, steps) }
  }

  /// By default, the 8 largest eigenvalues.
  public init(
    top: Int = 8, bottom: Int = 0, tolerance: Double = 1e-3, budget: Int = 200, verifies: Bool = false,
    traceProbes: Int = 0, density: Density? = nil, towardsLast: Bool = false, seed: UInt64 = 0
  ) {
    (self.top, self.bottom, self.tolerance, self.budget) = (top, bottom, tolerance, budget)
    (self.verifies, self.traceProbes, self.density) = (verifies, traceProbes, density)
    (self.towardsLast, self.seed) = (towardsLast, seed)
  }

  /// What was found at each of the networks.
  public struct Curvatures: Encodable, Sendable {
    /// How many examples the loss is the mean over, and how many parameters the Hessian is with respect to.
    public var examples, parameters: Int
    /// In the order of the bench's points
    public var networks: [Network]
  }

  /// What was found at one network: the loss in nats, the length of its gradient, and what was requested.
  public struct Network: Encodable, Sendable {
    /// As the bench calls it
    public var name: String
    /// Mean cross-entropy, nats
    public var loss: Double
    /// ‖∇L‖
    public var gradientNorm: Double
    /// nil if none were requested
    public var eigenvalues: Eigenvalues?
    /// Taken from the density if that was estimated, too; nil if neither was requested
    public var trace: TraceEstimate?
    /// nil if it was not requested
    public var density: SpectralDensity?
    /// nil if there is no other network
    public var towards: Direction?
  }

  /// The curvature on the way to another network.
  public struct Direction: Encodable, Sendable {
    /// As the bench calls the other network
    public var name: String
    /// Along the line between the two
    public var curvature: DirectionCurvature
  }

  /// Checks the settings, without reading a file.
  /// - Throws: `WorkbenchError` for the first problem.
  public func check(weights count: Int) throws {
    guard count > (towardsLast ? 1 : 0) else { throw WorkbenchError("name the weights to measure at") }
    for (name, value, low) in [
      ("top", top, 0), ("bottom", bottom, 0), ("traceProbes", traceProbes, 0),
      ("density.probes", density?.probes ?? 1, 1), ("density.steps", density?.steps ?? 1, 1), ("budget", budget, 1),
    ] {
      try WorkbenchError.require(name, value, in: low...100_000)
    }
    try WorkbenchError.requirePositive("tolerance", tolerance)
    guard budget >= top + bottom else {
      throw WorkbenchError("`budget` is \(budget), which is too few for \(top + bottom) eigenvalues")
    }
    guard top + bottom + traceProbes > 0 || density != nil || towardsLast else {
      throw WorkbenchError(
        "there is nothing to measure; ask for `top`, `bottom`, `traceProbes`, `density` or `towardsLast`")
    }
  }

  /// Measures at a bench's points.
  ///
  /// - Parameter folder: keeps what is done, and until then the products (4 bytes a parameter each), so that
  ///   an interrupted measurement can continue; nil keeps nothing
  /// - Throws: `WorkbenchError`, `LandscapeError`, `FolderLock.Held` where another process measures into the folder,
  ///   `TorchError`.
  public func measure(
    _ bench: Bench, keptIn folder: URL? = nil, report: @escaping News.Listener = { _ in }
  ) throws -> Measured<Curvatures> {
    try check(weights: bench.points.count)
    let (examples, words) = try bench.examples(usual: .train, limit: 1000)
    let placer = try bench.placer()
    let store = try bench.store(folder, placer, report: report)
    let other = towardsLast ? bench.points.last : nil
    let points = towardsLast ? Array(bench.points.dropLast()) : bench.points
    if let other {
      for point in points where try point.weights.isIdentical(to: other.weights) {
        throw WorkbenchError(
          "`towardsLast` \(other.name): this is the same point as \(point.name), so there is no direction")
      }
    }
    func hessian(at point: Weights) throws -> LossHessian {
      try bench.network.at(placer.settled(point)) { try LossHessian(bench.network, on: examples) }
    }
    var parameters = 0
    let networks = try points.map { point in
      let start = try hessian(at: point.weights)
      parameters = start.dimension
      var network = try spectrum(point, start, store, report)
      if let other {
        let middle = try point.weights.interpolated(to: other.weights, at: 0.5)
        let names = try LossHessian.names(bench.network)
        let direction = try other.weights.vector(names) - point.weights.vector(names)
        let curvature = try DirectionCurvature(
          [start, hessian(at: middle), hessian(at: other.weights)], along: direction)
        network.towards = Direction(name: other.name, curvature: curvature)
      }
      return network
    }
    return bench.measured(
      Curvatures(examples: examples.count, parameters: parameters, networks: networks), words, placer)
  }

  /// What the Hessian at one point tells.
  private func spectrum(
    _ point: Bench.Point, _ hessian: LossHessian, _ store: MeasureStore, _ report: News.Listener
  ) throws -> Network {
    let key = try "curvature \(point.weights.fingerprint()) \(seed)"
    let (loss, gradient) = try hessian.gradient()
    var network = Network(name: point.name, loss: loss, gradientNorm: try gradient.norm(dtype: .float64).item())
    if top + bottom > 0 {
      network.eigenvalues = try store(
        "\(key) eigenvalues \(top) \(bottom) \(tolerance) \(budget) \(verifies)", of: hessian
      ) { hessian in
        try Eigenvalues(
          of: hessian, largest: top, smallest: bottom, tolerance: tolerance, budget: budget, seed: seed,
          verifies: verifies
        ) { done, residual in
          let detail = residual.isFinite ? String(format: "largest residual %.1e", residual) : ""
          report(.progress("product", done, of: budget, detail: detail))
        }
      }
    }
    if let density {
      let found = try store("\(key) density \(density.probes) \(density.steps)", of: hessian) { hessian in
        try SpectralDensity(of: hessian, probes: density.probes, steps: density.steps, seed: seed &+ 1) {
          report(.progress("density", $0, of: density.probes * density.steps))
        }
      }
      (network.density, network.trace) = (found, found.trace)
    }
    if traceProbes > 0 {
      network.trace = try store("\(key) trace \(traceProbes)", of: hessian) { hessian in
        try TraceEstimate(of: hessian, probes: traceProbes, seed: seed &+ 2) {
          report(.progress("trace", $0, of: traceProbes))
        }
      }
    }
    return network
  }
}
