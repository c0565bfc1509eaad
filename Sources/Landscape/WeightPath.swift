import Weights

/// A path through weight space from A (λ = 0) to B (λ = 1).
public struct WeightPath: Sendable {
  /// What the controls make of the path.
  public enum Shape: String, Codable, CaseIterable, Sendable {
    /// (1 − λ) A + λ B
    case line
    /// Straight pieces through the controls, each over the same stretch of λ
    case polygonal
    /// Of as many degrees as there are controls, and one: with one control θ, (1 − λ)² A + 2λ(1 − λ) θ + λ² B
    case bezier
  }

  /// `line` where there are no controls.
  public let shape: Shape
  /// A
  public let start: Weights
  /// B
  public let end: Weights
  /// What bends the path; none for a line
  public let controls: [Weights]

  /// A path through or towards `controls`, in their order.
  public init(from start: Weights, to end: Weights, shape: Shape = .line, controls: [Weights] = []) {
    (self.start, self.end) = (start, end)
    self.shape = controls.isEmpty ? .line : shape
    self.controls = controls
  }

  /// What each of A, the controls and B counts at λ; these sum to 1.
  public func coefficients(at position: Double) -> [Double] {
    let pieces = controls.count + 1
    switch shape {
    case .line, .polygonal:
      let place = min(max(position, 0), 1) * Double(pieces)
      let piece = min(Int(place), pieces - 1)
      var result = [Double](repeating: 0, count: pieces + 1)
      result[piece] = 1 - (place - Double(piece))
      result[piece + 1] = place - Double(piece)
      return result
    case .bezier:
      var result = [1.0]
      // De Casteljau: each degree from the one below.
      for _ in 0..<pieces {
        result = (0...result.count).map { place in
          (place < result.count ? (1 - position) * result[place] : 0) + (place > 0 ? position * result[place - 1] : 0)
        }
      }
      return result
    }
  }

  /// The point at λ, for `MovingPoint`.
  public func terms(at position: Double) -> [(coefficient: Double, weights: Weights)] {
    Array(zip(coefficients(at: position), [start] + controls + [end])).map { (coefficient: $0, weights: $1) }
  }

  /// `count` positions from 0 to 1, both included.
  public static func positions(_ count: Int) -> [Double] {
    (0..<max(2, count)).map { Double($0) / Double(max(2, count) - 1) }
  }
}
