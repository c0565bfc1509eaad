/// How far the loss along a path rises above the straight line between the losses of its ends.
///
///     signed(λ) = L(θ(λ)) − [(1 − λ) L(A) + λ L(B)]
///
/// A maximum over positions that contain the ends is never below 0 and so hides valleys; `signed`, `lowest` and `area`
/// show them.
public struct Barrier: Codable, Sendable, Hashable {
  /// Loss above that line at each point, nats; negative in a valley
  public let signed: [Double]
  /// The largest of `signed`: the barrier. NaN where any loss is.
  public let height: Double
  /// λ of the largest
  public let position: Double
  /// The smallest of `signed`
  public let lowest: Double
  /// λ of the smallest
  public let lowestPosition: Double
  /// ∫ signed dλ by the trapezoidal rule
  public let area: Double

  /// The barrier of the losses along a path. Everything is NaN without losses, or without one for each position.
  ///
  /// - Parameters:
  ///   - positions: λ of each point, rising from 0 to 1; θ(λ) = (1 − λ) A + λ B
  ///   - losses: the loss at each; the first and the last are those of the ends
  public init(positions: [Double], losses: [Double]) {
    guard let first = losses.first, let last = losses.last, positions.count == losses.count else {
      (signed, height, position, lowest, lowestPosition, area) = ([], .nan, .nan, .nan, .nan, .nan)
      return
    }
    let signed = zip(positions, losses).map { $1 - ((1 - $0) * first + $0 * last) }
    self.signed = signed
    var area = 0.0
    for (index, value) in signed.enumerated().dropFirst() {
      area += (positions[index] - positions[index - 1]) * (value + signed[index - 1]) / 2
    }
    self.area = area
    guard signed.allSatisfy({ !$0.isNaN }), let highest = signed.indices.max(by: { signed[$0] < signed[$1] }),
      let deepest = signed.indices.min(by: { signed[$0] < signed[$1] })
    else {
      (height, position, lowest, lowestPosition) = (.nan, .nan, .nan, .nan)
      return
    }
    (height, position) = (signed[highest], positions[highest])
    (lowest, lowestPosition) = (signed[deepest], positions[deepest])
  }
}
