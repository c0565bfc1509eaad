import Foundation

/// log E[max(0, gain + deviation · z)] for a standard normal z: how much less than the best so far a point promises.
/// The logarithm can be told apart where the expectation itself is too small for a number (Ament et al., 2023).
///
/// - Parameters:
///   - gain: how far the mean lies below the best so far
///   - deviation: at least 0
func logExpectedImprovement(gain: Double, deviation: Double) -> Double {
  let deviation = max(deviation, 1e-12)
  let u = gain / deviation
  if u > -20 {
    let density = exp(-0.5 * u * u) / (2 * .pi).squareRoot()
    return log(deviation) + log(density + u * 0.5 * erfc(-u / 2.0.squareRoot()))
  }
  // φ(u) + u Φ(u) = φ(u)/u² (1 − 3/u² + 15/u⁴ − …)
  let inverse = 1 / (u * u)
  return log(deviation) - 0.5 * u * u - 0.5 * log(2 * .pi) + log(inverse) + log1p(-3 * inverse + 15 * inverse * inverse)
}
