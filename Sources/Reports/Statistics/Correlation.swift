import Foundation

/// The 0.975 quantile of the standard normal distribution.
let normalQuantile975 = 1.959963984540054

/// Pearson's correlation of two quantities, with its 95 % interval and the least-squares line.
public struct Correlation: Codable, Hashable, Sendable {
  /// Pearson's coefficient, −1 … 1.
  public var r: Double
  /// From Fisher's z = artanh r, whose standard error is 1 / √(n − 3); nil below four points. It assumes
  /// independent, normal points; for chosen learning rates it is only an indication.
  public var lower: Double?
  /// The upper end of the same interval.
  public var upper: Double?
  /// The two-sided p-value of r = 0, by Student's t with n − 2 degrees of freedom; nil below three points.
  public var pValue: Double?
  /// The number of points.
  public var count: Int
  /// The slope of the least-squares line y = intercept + slope · x.
  public var slope: Double
  /// The intercept of the same line.
  public var intercept: Double

  /// Nil for fewer than three points, and where x or y does not vary.
  init?(_ points: [(x: Double, y: Double)]) {
    guard points.count > 2 else { return nil }
    let (centerX, centerY) = (mean(points.map(\.x)), mean(points.map(\.y)))
    var (sxx, sxy, syy) = (0.0, 0.0, 0.0)
    for point in points {
      let (dx, dy) = (point.x - centerX, point.y - centerY)
      sxx += dx * dx
      sxy += dx * dy
      syy += dy * dy
    }
    guard sxx > 0, syy > 0, sxx.isFinite, syy.isFinite else { return nil }
    r = max(-1, min(1, sxy / (sxx * syy).squareRoot()))
    count = points.count
    slope = sxy / sxx
    intercept = centerY - slope * centerX
    let degrees = Double(count - 2)
    if abs(r) < 1 {
      let t = abs(r) * (degrees / (1 - r * r)).squareRoot()
      pValue = 2 * StudentT(degreesOfFreedom: degrees).upperTail(t)
    } else {
      pValue = 0
    }
    if count > 3, abs(r) < 1 {
      let halfWidth = normalQuantile975 / Double(count - 3).squareRoot()
      lower = tanh(atanh(r) - halfWidth)
      upper = tanh(atanh(r) + halfWidth)
    }
  }

  /// Whether there is an interval and it excludes 0.
  var isCertain: Bool {
    guard let lower, let upper else { return false }
    return lower > 0 || upper < 0
  }

  /// "r = 0.98 (95 % interval 0.87 to 1.00, Fisher z over 7 runs)".
  func text(_ noun: String) -> String {
    let rounded = roundedCorrelation
    guard let lower, let upper else {
      let why = abs(r) < 1 ? "too few for an interval" : "which lie on a line"
      return "r = \(rounded(r)) (\(counted(count, noun)), \(why))"
    }
    return "r = \(rounded(r)) (95 % interval \(rounded(lower)) to \(rounded(upper)), Fisher z over "
      + "\(counted(count, noun)))"
  }
}

/// "0.98", "−0.50".
func roundedCorrelation(_ r: Double) -> String { (r < 0 ? "−" : "") + String(format: "%.2f", abs(r)) }
