import Foundation
import Support

/// CMA-ES in the unit cube with the default settings of Hansen's tutorial (arXiv 1604.00772), negative weights left
/// out. Points beyond a side are reflected into the cube. Where it has converged it starts again from a random point
/// with twice the population (Auger and Hansen, 2005).
struct CovarianceMatrixAdaptation: Sendable {
  private let dimensions: Int
  private let seed: UInt64
  private var restarts = 0
  private var generation = 0
  /// What was told of this generation: the point as it was drawn, before reflection, and its value.
  private var told: [(point: [Double], value: Double)] = []

  private var population: Int
  private var weights: [Double] = []
  private var mean: [Double]
  private var sigma = 0.3
  /// p_c and p_σ
  private var path: [Double]
  private var sigmaPath: [Double]
  private var covariance: [Double]
  /// B and the diagonal of D in C = B D² Bᵀ
  private var vectors: [Double]
  private var lengths: [Double]
  /// The best value of each of the last generations.
  private var history: [Double] = []

  init(dimensions: Int, seed: UInt64) {
    (self.dimensions, self.seed) = (dimensions, seed)
    population = 4 + Int(3 * log(Double(dimensions)))
    mean = [Double](repeating: 0.5, count: dimensions)
    (path, sigmaPath) = ([], [])
    (covariance, vectors, lengths) = ([], [], [])
    start(population: population)
  }

  private mutating func start(population: Int) {
    self.population = population
    let parents = population / 2
    let raw = (1...max(1, parents)).map { log((Double(population) + 1) / 2) - log(Double($0)) }
    let sum = raw.reduce(0, +)
    weights = raw.map { $0 / sum }
    sigma = 0.3
    path = [Double](repeating: 0, count: dimensions)
    sigmaPath = path
    covariance = (0..<(dimensions * dimensions)).map { $0 / dimensions == $0 % dimensions ? 1 : 0 }
    vectors = covariance
    lengths = [Double](repeating: 1, count: dimensions)
    (history, told, generation) = ([], [], 0)
  }

  /// The sample that is evaluated next, as it is drawn: it may lie outside the cube.
  private var sample: [Double] {
    var random = SplitMix64(seed, 0xC3A, UInt64(restarts), UInt64(generation), UInt64(told.count), salt: .search)
    let z = lengths.map { $0 * random.normal() }
    return (0..<dimensions).map { row in
      var sum = 0.0
      for column in 0..<dimensions { sum += vectors[row * dimensions + column] * z[column] }
      return mean[row] + sigma * sum
    }
  }

  /// The point to evaluate next.
  func next() -> [Double] { sample.map(Self.reflected) }

  private static func reflected(_ x: Double) -> Double {
    guard x.isFinite else { return 0.5 }
    let folded = abs(x.truncatingRemainder(dividingBy: 2))
    return folded > 1 ? 2 - folded : folded
  }

  /// Takes the value of `next()`, or of another point in its place.
  mutating func tell(_ point: [Double], _ value: Double) {
    let drawn = sample
    let isOwn = drawn.map(Self.reflected) == point
    told.append((isOwn ? drawn : point, value.isFinite ? value : .infinity))
    if told.count == population { update() }
  }

  private mutating func update() {
    // Of equal values the earlier comes first, so that the result is the same everywhere.
    let order = told.indices.sorted { (told[$0].value, $0) < (told[$1].value, $1) }
    let n = Double(dimensions)
    let mass = 1 / weights.reduce(0) { $0 + $1 * $1 }
    let steps = order.prefix(weights.count).map { index in
      zip(told[index].point, mean).map { ($0 - $1) / sigma }
    }
    var step = [Double](repeating: 0, count: dimensions)
    for (weight, y) in zip(weights, steps) { for i in step.indices { step[i] += weight * y[i] } }
    for i in mean.indices { mean[i] += sigma * step[i] }

    // Step size
    let cSigma = (mass + 2) / (n + mass + 5)
    let damping = 1 + 2 * max(0, ((mass - 1) / (n + 1)).squareRoot() - 1) + cSigma
    let expected = n.squareRoot() * (1 - 1 / (4 * n) + 1 / (21 * n * n))
    let whitened = whiten(step)
    let gain = (cSigma * (2 - cSigma) * mass).squareRoot()
    for i in sigmaPath.indices { sigmaPath[i] = (1 - cSigma) * sigmaPath[i] + gain * whitened[i] }
    let length = sigmaPath.reduce(0) { $0 + $1 * $1 }.squareRoot()

    // Covariance
    let cPath = (4 + mass / n) / (n + 4 + 2 * mass / n)
    let cOne = 2 / ((n + 1.3) * (n + 1.3) + mass)
    let cMass = min(1 - cOne, 2 * (mass - 2 + 1 / mass) / ((n + 2) * (n + 2) + mass))
    let decay = 1 - pow(1 - cSigma, 2 * Double(generation + 1))
    let isSteady = length / decay.squareRoot() < (1.4 + 2 / (n + 1)) * expected
    let pathGain = isSteady ? (cPath * (2 - cPath) * mass).squareRoot() : 0
    for i in path.indices { path[i] = (1 - cPath) * path[i] + pathGain * step[i] }
    let kept = 1 - cOne - cMass + (isSteady ? 0 : cOne * cPath * (2 - cPath))
    for i in 0..<dimensions {
      for j in 0...i {
        var value = kept * covariance[i * dimensions + j] + cOne * path[i] * path[j]
        for (weight, y) in zip(weights, steps) { value += cMass * weight * y[i] * y[j] }
        covariance[i * dimensions + j] = value
        covariance[j * dimensions + i] = value
      }
    }
    sigma *= exp(min(1, cSigma / damping * (length / expected - 1)))

    history.append(told[order[0]].value)
    generation += 1
    told = []
    let eigen = SymmetricEigen(covariance, size: dimensions)
    vectors = eigen.vectors
    lengths = eigen.values.map { max($0, 0).squareRoot() }
    if hasConverged { restart() }
  }

  /// C^(−½) y
  private func whiten(_ y: [Double]) -> [Double] {
    let inner = (0..<dimensions).map { column in
      (0..<dimensions).reduce(0.0) { $0 + vectors[$1 * dimensions + column] * y[$1] } / max(lengths[column], 1e-150)
    }
    return (0..<dimensions).map { row in
      (0..<dimensions).reduce(0.0) { $0 + vectors[row * dimensions + $1] * inner[$1] }
    }
  }

  private var hasConverged: Bool {
    let longest = lengths.max() ?? 0
    let shortest = lengths.min() ?? 0
    guard sigma.isFinite, longest.isFinite, shortest > 0 else { return true }
    if longest > 1e7 * shortest || sigma * longest < 1e-11 || sigma * shortest > 1e4 { return true }
    let span = 10 + Int((30 * Double(dimensions) / Double(population)).rounded(.up))
    guard history.count >= span else { return false }
    let recent = history.suffix(span)
    guard let least = recent.min(), let most = recent.max() else { return false }
    return !(most - least > 1e-12 * max(1, abs(least)))
  }

  private mutating func restart() {
    restarts += 1
    var random = SplitMix64(seed, 0x2E5, UInt64(restarts), salt: .search)
    mean = mean.map { _ in random.uniformDouble() }
    start(population: min(2 * population, 10_000))
  }
}
