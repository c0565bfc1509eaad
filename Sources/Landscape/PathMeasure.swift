/// What was measured along a path.
public struct PathMeasure: Codable, Hashable, Sendable {
  public var shape: WeightPath.Shape
  /// λ, rising from 0 to 1
  public var positions: [Double]
  /// One for each position
  public var points: [PointMeasure]

  public init(shape: WeightPath.Shape, positions: [Double], points: [PointMeasure]) {
    (self.shape, self.positions, self.points) = (shape, positions, points)
  }

  /// Measures `path` at positions, calling `done` after each.
  public init(
    _ path: WeightPath, positions: [Double], by evaluator: PointEvaluator,
    done: (_ index: Int, PointMeasure) throws -> Void = { _, _ in }
  ) throws {
    let point = try MovingPoint(at: path.start)
    var points: [PointMeasure] = []
    for (index, position) in positions.enumerated() {
      try point.move(to: path.terms(at: position))
      points.append(try evaluator.measure(at: point.weights))
      try done(index, points[index])
    }
    self.init(shape: path.shape, positions: positions, points: points)
  }

  /// nil where it was not measured.
  public var trainBarrier: Barrier? { barrier { $0.train?.loss } }
  public var testBarrier: Barrier? { barrier { $0.test?.loss } }

  /// How far the error (1 − accuracy) rises above the line between the ends.
  public var trainErrorBarrier: Barrier? { barrier { $0.train.map { 1 - $0.accuracy } } }
  public var testErrorBarrier: Barrier? { barrier { $0.test.map { 1 - $0.accuracy } } }

  private func barrier(_ value: (PointMeasure) -> Double?) -> Barrier? {
    let values = points.compactMap(value)
    return values.count == points.count && !values.isEmpty ? Barrier(positions: positions, losses: values) : nil
  }
}
