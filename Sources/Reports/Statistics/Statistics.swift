import Foundation

/// The mean of `values`; NaN when there are none.
func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

/// The unbiased sample variance; NaN for fewer than two values.
func variance(_ values: [Double]) -> Double {
  guard values.count > 1 else { return .nan }
  let center = mean(values)
  return values.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(values.count - 1)
}

/// The one-sided p-value of Welch's t test that the mean behind `a` is greater than that behind `b`.
///
/// Nil where no test is possible: fewer than two values on a side, or no variation on either.
func welchGreater(_ a: [Double], _ b: [Double]) -> Double? {
  guard a.count > 1, b.count > 1 else { return nil }
  let (va, vb) = (variance(a) / Double(a.count), variance(b) / Double(b.count))
  let squaredError = va + vb
  guard squaredError > 0, squaredError.isFinite else { return nil }
  let degrees =
    squaredError * squaredError / (va * va / Double(a.count - 1) + vb * vb / Double(b.count - 1))
  return StudentT(degreesOfFreedom: degrees).upperTail((mean(a) - mean(b)) / squaredError.squareRoot())
}

/// A local linear regression of `y` on `x` with Gaussian weights of standard deviation `bandwidth`, evaluated at `x0`.
///
/// Falls back to the weighted mean where the weighted `x` do not spread.
func localLinear(_ points: [(x: Double, y: Double)], bandwidth: Double, at x0: Double) -> Double {
  var (s0, s1, s2, t0, t1) = (0.0, 0.0, 0.0, 0.0, 0.0)
  for point in points {
    let d = point.x - x0
    let weight = exp(-0.5 * (d / bandwidth) * (d / bandwidth))
    s0 += weight
    s1 += weight * d
    s2 += weight * d * d
    t0 += weight * point.y
    t1 += weight * d * point.y
  }
  let determinant = s0 * s2 - s1 * s1
  return determinant > 1e-9 * s0 * s0 * bandwidth * bandwidth ? (s2 * t0 - s1 * t1) / determinant : t0 / s0
}
