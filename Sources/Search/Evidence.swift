import Foundation
import Support

/// How well a Gaussian process's parameters explain observations: the logarithm of their marginal likelihood, and with
/// the priors of the posterior, by the parameters' logarithms θ = (log ℓ₁ …, log s², log σ²).
struct Evidence {
  private let values: [Double]
  private let count: Int
  private let dimensions: Int
  /// Squared distances of all pairs in each dimension.
  private let distances: [[Double]]
  /// Mean and deviation of each logarithm's normal prior.
  let priors: [(mean: Double, deviation: Double)]

  /// - Parameters:
  ///   - values: of mean 0 and deviation about 1
  ///   - owners: the dimension of each coordinate
  init(_ points: [[Double]], _ values: [Double], owners: [Int]) {
    self.values = values
    let count = points.count
    self.count = count
    dimensions = (owners.max() ?? 0) + 1
    var distances = [[Double]](repeating: [Double](repeating: 0, count: count * count), count: dimensions)
    for (coordinate, owner) in owners.enumerated() {
      for i in 0..<count {
        for j in 0..<count {
          let difference = points[i][coordinate] - points[j][coordinate]
          distances[owner][i * count + j] += difference * difference
        }
      }
    }
    self.distances = distances
    // Distances in a cube grow with √d, and so do sensible lengths (Hvarfner, Hellsten and Nardi, 2024). Merging and
    // evaluating twice gives the same value twice, so noise is only what is too rough to follow.
    let length = (mean: log(0.7) + 0.5 * log(Double(dimensions)), deviation: 1.2)
    priors = [(Double, Double)](repeating: length, count: dimensions) + [(0, 1), (log(1e-4), 2)]
  }

  static func parameters(_ theta: [Double]) -> GaussianProcess.Parameters {
    GaussianProcess.Parameters(
      lengths: theta.dropLast(2).map { exp($0) }, signal: exp(theta[theta.count - 2]),
      noise: exp(theta[theta.count - 1])
    )
  }

  /// log p(y | θ) and its gradient; nil where the covariance cannot be factored.
  func logLikelihood(_ theta: [Double]) -> (value: Double, gradient: [Double])? {
    let parameters = Self.parameters(theta)
    let inverseSquares = parameters.lengths.map { 1 / ($0 * $0) }
    var covariance = [Double](repeating: 0, count: count * count)
    // ∂K/∂(r²) times −2
    var slope = covariance
    for index in covariance.indices {
      var squared = 0.0
      for dimension in 0..<dimensions { squared += distances[dimension][index] * inverseSquares[dimension] }
      let r = (5 * squared).squareRoot()
      let decay = parameters.signal * exp(-r)
      covariance[index] = (1 + r + r * r / 3) * decay
      slope[index] = 5.0 / 3 * (1 + r) * decay
    }
    var noisy = covariance
    for index in 0..<count { noisy[index * count + index] += parameters.noise }
    guard let cholesky = Cholesky(noisy, size: count) else { return nil }
    let weights = cholesky.solve(values)
    let fit = zip(weights, values).reduce(0) { $0 + $1.0 * $1.1 }
    let value = -0.5 * (fit + cholesky.logDeterminant + Double(count) * log(2 * .pi))
    let inverse = cholesky.inverse
    var gradient = [Double](repeating: 0, count: dimensions + 2)
    for i in 0..<count {
      for j in 0..<count {
        let index = i * count + j
        let part = 0.5 * (weights[i] * weights[j] - inverse[index])
        let sloped = part * slope[index]
        for dimension in 0..<dimensions {
          gradient[dimension] += sloped * distances[dimension][index] * inverseSquares[dimension]
        }
        gradient[dimensions] += part * covariance[index]
        if i == j { gradient[dimensions + 1] += part * parameters.noise }
      }
    }
    return value.isFinite ? (value, gradient) : nil
  }

  /// With the priors.
  func logPosterior(_ theta: [Double]) -> (value: Double, gradient: [Double])? {
    guard var (value, gradient) = logLikelihood(theta) else { return nil }
    for (index, prior) in priors.enumerated() {
      let distance = (theta[index] - prior.mean) / prior.deviation
      value -= 0.5 * distance * distance
      gradient[index] -= distance / prior.deviation
    }
    return (value, gradient)
  }

  /// The parameters of the highest posterior that climbs from several starts find.
  func best(random: inout SplitMix64, starts: Int = 4) -> [Double] {
    var top = priors.map(\.mean)
    var highest = -Double.infinity
    for start in 0..<starts {
      let first = priors.map { start == 0 ? $0.mean : $0.mean + $0.deviation * random.normal() }
      guard let (theta, value) = climb(from: first), value > highest else { continue }
      (top, highest) = (theta, value)
    }
    return top
  }

  /// Broyden, Fletcher, Goldfarb and Shanno's method with steps halved until they gain.
  private func climb(from start: [Double]) -> (theta: [Double], value: Double)? {
    guard var (value, gradient) = logPosterior(start) else { return nil }
    var theta = start
    let size = theta.count
    var inverse = Self.identity(size)
    for _ in 0..<60 {
      var direction = (0..<size).map { row in (0..<size).reduce(0) { $0 + inverse[row * size + $1] * gradient[$1] } }
      var slope = zip(direction, gradient).reduce(0) { $0 + $1.0 * $1.1 }
      if !(slope > 0) {
        inverse = Self.identity(size)
        direction = gradient
        slope = gradient.reduce(0) { $0 + $1 * $1 }
      }
      // Logarithms: more than e² at once is a leap into the unknown.
      var step = min(1, 2 / max(1e-12, direction.map { abs($0) }.max() ?? 0))
      var next: (theta: [Double], value: Double, gradient: [Double])?
      while step > 1e-6, next == nil {
        let moved = zip(theta, direction).map { $0 + step * $1 }
        if let found = logPosterior(moved), found.value >= value + 1e-4 * step * slope {
          next = (moved, found.value, found.gradient)
        }
        step /= 2
      }
      guard let next else { break }
      let s = zip(next.theta, theta).map { $0 - $1 }
      // Of the function to be lowered, so its sign is turned.
      let y = zip(next.gradient, gradient).map { $1 - $0 }
      let gain = next.value - value
      (theta, value, gradient) = (next.theta, next.value, next.gradient)
      let curvature = zip(s, y).reduce(0) { $0 + $1.0 * $1.1 }
      if curvature > 1e-12 { Self.update(&inverse, s, y, curvature) }
      if gain < 1e-5 { break }
    }
    return (theta, value)
  }

  private static func identity(_ size: Int) -> [Double] {
    (0..<(size * size)).map { $0 / size == $0 % size ? 1 : 0 }
  }

  private static func update(_ inverse: inout [Double], _ s: [Double], _ y: [Double], _ curvature: Double) {
    let size = s.count
    let hy = (0..<size).map { row in (0..<size).reduce(0) { $0 + inverse[row * size + $1] * y[$1] } }
    let yhy = zip(y, hy).reduce(0) { $0 + $1.0 * $1.1 }
    for i in 0..<size {
      for j in 0..<size {
        inverse[i * size + j] +=
          (1 + yhy / curvature) * s[i] * s[j] / curvature - (hy[i] * s[j] + s[i] * hy[j]) / curvature
      }
    }
  }
}
