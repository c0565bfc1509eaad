import Foundation

/// A Gaussian process over the unit cube with mean 0 and covariance s² m(r) + σ² [same observation]: Matérn's m(r) = (1
/// + √5 r + 5/3 r²) e^(−√5 r) of smoothness 5/2, r² = Σ (aᵢ − bᵢ)² / ℓᵢ² with a length for each dimension of the space.
struct GaussianProcess: Sendable {
  struct Parameters: Sendable, Hashable {
    /// By the dimension of the space; a choice's coordinates share theirs.
    var lengths: [Double]
    /// s²
    var signal: Double
    /// σ²
    var noise: Double
  }

  let parameters: Parameters
  private let points: [[Double]]
  private let scales: [Double]
  private let cholesky: Cholesky
  /// K⁻¹ y
  private let weights: [Double]

  /// The process after the observations; nil where their covariance cannot be factored.
  ///
  /// - Parameters:
  ///   - points: coordinates in the unit cube
  ///   - owners: the dimension of each coordinate, an index into `lengths`
  init?(_ points: [[Double]], _ values: [Double], owners: [Int], _ parameters: Parameters) {
    (self.points, self.parameters) = (points, parameters)
    scales = owners.map { 1 / parameters.lengths[$0] }
    let count = points.count
    var covariance = [Double](repeating: 0, count: count * count)
    for i in 0..<count {
      for j in 0...i {
        let value = Self.covariance(points[i], points[j], scales, parameters.signal) + (i == j ? parameters.noise : 0)
        covariance[i * count + j] = value
        covariance[j * count + i] = value
      }
    }
    guard let cholesky = Cholesky(covariance, size: count) else { return nil }
    self.cholesky = cholesky
    weights = cholesky.solve(values)
  }

  private static func covariance(_ a: [Double], _ b: [Double], _ scales: [Double], _ signal: Double) -> Double {
    var sum = 0.0
    for index in a.indices {
      let difference = (a[index] - b[index]) * scales[index]
      sum += difference * difference
    }
    let r = (5 * sum).squareRoot()
    return signal * (1 + r + r * r / 3) * exp(-r)
  }

  /// Mean and standard deviation of the function at `point`, without the observations' noise.
  func posterior(at point: [Double]) -> (mean: Double, deviation: Double) {
    let row = points.map { Self.covariance($0, point, scales, parameters.signal) }
    let mean = zip(row, weights).reduce(0) { $0 + $1.0 * $1.1 }
    let explained = cholesky.solveLower(row).reduce(0) { $0 + $1 * $1 }
    return (mean, max(0, parameters.signal - explained).squareRoot())
  }

  /// The mean alone, which is cheaper.
  func mean(at point: [Double]) -> Double {
    var sum = 0.0
    for index in points.indices {
      sum += Self.covariance(points[index], point, scales, parameters.signal) * weights[index]
    }
    return sum
  }
}
