import Foundation

/// Data range with a margin, as a Vega scale domain, that includes `always`.
func paddedDomain(_ values: [Double], including always: [Double] = [], margin: Double = 0.06) -> [Double] {
  let all = (values + always).filter(\.isFinite)
  guard let low = all.min(), let high = all.max() else { return [0, 1] }
  let span = high > low ? high - low : max(abs(high), 1) * 0.1
  return [low - margin * span, high + margin * span]
}

/// All estimates and `always`, and of the intervals at most three quarters of that span beyond it: with two seeds an
/// interval can be fifty times as long as anything there is to see.
/// - Parameter possible: the values there can be, which an interval may leave and the axis does not.
func estimatesDomain(
  _ estimates: [Estimate], including always: [Double] = [], possible: ClosedRange<Double> = -.infinity ... .infinity
) -> [Double] {
  let values = estimates.map(\.value)
  let inner = paddedDomain(values, including: always, margin: 0)
  let reach = inner[1] - inner[0]
  let ends = estimates.flatMap { [$0.lower, $0.upper] }.compactMap(\.self)
    .map { min(max($0, inner[0] - reach * 0.75), inner[1] + reach * 0.75) }
  let domain = paddedDomain(values + ends, including: always, margin: 0.07)
  // Room for half a point at the end.
  let margin = 0.02 * (domain[1] - domain[0])
  return [max(domain[0], possible.lowerBound - margin), min(domain[1], possible.upperBound + margin)]
}

/// The same on a logarithmic scale; `values` are positive.
func paddedLogDomain(_ values: [Double], margin: Double = 0.06) -> [Double] {
  paddedDomain(values.filter { $0 > 0 }.map(log10), margin: margin).map { pow(10, $0) }
}

/// Ticks for a logarithmic axis over `domain`: powers of ten, with 2 and 5 between them where there are few.
func logTicks(_ domain: [Double]) -> [Double] {
  guard domain.count == 2, domain[0] > 0, domain[1] > domain[0] else { return [] }
  let exponents = Int(log10(domain[0]).rounded(.down))...Int(log10(domain[1]).rounded(.up))
  func ticks(_ factors: [Double]) -> [Double] {
    exponents.flatMap { exponent in factors.map { $0 * pow(10, Double(exponent)) } }
      .filter { $0 >= domain[0] && $0 <= domain[1] }
  }
  let decades = ticks([1])
  return decades.count >= 4 ? decades : decades.count >= 2 ? ticks([1, 3]) : ticks([1, 2, 5])
}

/// How to write values that were chosen, such as learning rates: with a power of ten where decimals would be long.
func valueFormat(_ values: [Double]) -> String {
  (values.filter { $0 > 0 }.min() ?? 1) < 1e-4 ? ".3~e" : ".3~g"
}

/// How to write the ticks of a logarithmic axis: as decimals where they stay short, otherwise with a power of ten.
func logFormat(_ domain: [Double]) -> String {
  domain.allSatisfy { $0 >= 5e-6 && $0 < 1e6 } ? "~g" : "~e"
}
