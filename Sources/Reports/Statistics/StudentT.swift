import Foundation

/// Student's t distribution with `degreesOfFreedom` ν > 0, not necessarily whole (Welch's ν is not).
struct StudentT: Sendable {
  let degreesOfFreedom: Double

  /// P(T > t).
  func upperTail(_ t: Double) -> Double {
    let half = 0.5 * regularizedIncompleteBeta(degreesOfFreedom / (degreesOfFreedom + t * t), degreesOfFreedom / 2, 0.5)
    return t >= 0 ? half : 1 - half
  }

  /// The t with P(T ≤ t) = `probability`, for 0 < probability < 1; NaN otherwise.
  func quantile(_ probability: Double) -> Double {
    guard probability > 0, probability < 1 else { return .nan }
    if probability < 0.5 { return -quantile(1 - probability) }
    let tail = 1 - probability
    var low = 0.0
    var high = 1.0
    while upperTail(high) > tail, high < 1e300 { high *= 2 }
    // Newton's steps, kept within the bracket by bisection.
    var t = (low + high) / 2
    for _ in 0..<200 {
      let excess = upperTail(t) - tail
      if excess > 0 { low = t } else { high = t }
      let step = t + excess / density(t)
      let next = step > low && step < high ? step : low + (high - low) / 2
      if abs(next - t) <= 4e-16 * t { return next }
      t = next
    }
    return t
  }

  /// The probability density at t.
  func density(_ t: Double) -> Double {
    let nu = degreesOfFreedom
    return exp(lgamma((nu + 1) / 2) - lgamma(nu / 2) - (nu + 1) / 2 * log1p(t * t / nu)) / (nu * .pi).squareRoot()
  }
}

/// I_x(a, b) by Lentz's continued fraction (Press et al., Numerical Recipes, 3rd edition, §6.4), for a, b > 0 and 0 ≤ x
/// ≤ 1.
func regularizedIncompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
  guard x > 0 else { return 0 }
  guard x < 1 else { return 1 }
  // The fraction converges quickly on this side only; the other follows from I_x(a, b) = 1 − I_{1−x}(b, a).
  if x > (a + 1) / (a + b + 2) { return 1 - regularizedIncompleteBeta(1 - x, b, a) }
  let gammas: Double = lgamma(a + b) - lgamma(a) - lgamma(b)
  let front: Double = exp(gammas + a * log(x) + b * log1p(-x)) / a
  let tiny = 1e-300
  func nonzero(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
  var c = 1.0
  var d = 1 / nonzero(1 - (a + b) * x / (a + 1))
  var fraction = d
  for m in 1...10_000 {
    let m = Double(m)
    let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / nonzero(1 + even * d)
    c = nonzero(1 + even / c)
    fraction *= d * c
    let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / nonzero(1 + odd * d)
    c = nonzero(1 + odd / c)
    fraction *= d * c
    if abs(d * c - 1) < 1e-15 { break }
  }
  return front * fraction
}
