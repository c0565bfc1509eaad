/// What was measured on a grid of a plane.
public struct PlaneMeasure: Codable, Hashable, Sendable {
  /// A point of weight space that the plane goes through.
  public struct Mark: Codable, Hashable, Sendable {
    /// For captions.
    public var name: String
    /// Where it lies.
    public var alpha: Double
    /// Where it lies.
    public var beta: Double

    /// A mark at (α, β).
    public init(name: String, alpha: Double, beta: Double) { (self.name, self.alpha, self.beta) = (name, alpha, beta) }
  }

  /// Columns, rising
  public var alphas: [Double]
  /// Rows, rising
  public var betas: [Double]
  /// Distance in weight space per unit of α; 1 where the directions have no length in common
  public var alphaLength: Double
  /// The same per unit of β
  public var betaLength: Double
  /// The points that the plane goes through.
  public var marks: [Mark]
  /// Row by row: `points[row * alphas.count + column]` is at `alphas[column]`, `betas[row]`
  public var points: [PointMeasure]

  /// What was measured, a point for each place of the grid.
  public init(
    alphas: [Double], betas: [Double], alphaLength: Double, betaLength: Double, marks: [Mark], points: [PointMeasure]
  ) {
    (self.alphas, self.betas) = (alphas, betas)
    (self.alphaLength, self.betaLength) = (alphaLength, betaLength)
    (self.marks, self.points) = (marks, points)
  }

  /// Whether a point lies beyond the cells of the grid, which reach half a step over its outermost points.
  public func isOutside(_ mark: Mark) -> Bool {
    func beyond(_ value: Double, _ grid: [Double]) -> Bool {
      guard let low = grid.first, let high = grid.last else { return true }
      let margin = grid.count > 1 ? (grid[1] - low) / 2 : 0.5
      return value < low - margin || value > high + margin
    }
    return beyond(mark.alpha, alphas) || beyond(mark.beta, betas)
  }

  /// `count` coordinates from `low` to `high`, both included.
  public static func coordinates(from low: Double, to high: Double, count: Int) -> [Double] {
    guard count > 1 else { return [low] }
    return (0..<count).map { low + (high - low) * Double($0) / Double(count - 1) }
  }
}
