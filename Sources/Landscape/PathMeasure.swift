/// What was measured along a path.
public struct PathMeasure: Codable, Hashable, Sendable {
  /// Of the path.
  public var shape: WeightPath.Shape
  /// λ, rising from 0 to 1
  public var positions: [Double]
  /// One for each position
  public var points: [PointMeasure]

  /// What was measured at positions, one point for each.
  public init(shape: WeightPath.Shape, positions: [Double], points: [PointMeasure]) {
    (self.shape, self.positions, self.points) = (shape, positions, points)
  }

  /// Measures `path` at positions, calling `done` after each.
  ///
  /// - Throws: `FileError` when the path's points are of different networks; what measuring throws.
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

  /// How far the training loss rises above the line between the ends, nats; nil where it was not measured.
  public var trainBarrier: Barrier? { barrier { $0.train?.loss } }
  /// The same for the test loss.
  public var testBarrier: Barrier? { barrier { $0.test?.loss } }

  /// How far the training error (1 − accuracy) rises above the line between the ends; nil where it was not measured.
  public var trainErrorBarrier: Barrier? { barrier { $0.train.map { 1 - $0.accuracy } } }
  /// The same for the test error.
  public var testErrorBarrier: Barrier? { barrier { $0.test.map { 1 - $0.accuracy } } }

  private func barrier(_ value: (PointMeasure) -> Double?) -> Barrier? {
    let values = points.compactMap(value)
    return values.count == points.count && !values.isEmpty ? Barrier(positions: positions, losses: values) : nil
  }
}
