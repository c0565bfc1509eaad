/// How far the loss along a path rises above the straight line between the losses of its ends.
public struct Barrier: Sendable, Hashable {
  /// Loss above that line at each point, nats; negative in a valley
  public let signed: [Double]

  /// - Parameters:
  ///   - positions: λ of each point, from 0 to 1; θ(λ) = (1 − λ) A + λ B
  ///   - losses: the loss at each; the first and the last are those of the ends
  public init(positions: [Double], losses: [Double]) {
    guard let first = losses.first, let last = losses.last else {
      signed = []
      return
    }
    signed = zip(positions, losses).map { $1 - ((1 - $0) * first + $0 * last) }
  }
}
