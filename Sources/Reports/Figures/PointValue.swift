import Landscape

/// What was measured at a point of weight space, as figures draw it: losses in nats, accuracies and errors in percent.
struct PointValue: Sendable {
  let title: String
  /// Nil where it was not measured.
  let value: @Sendable (PointMeasure) -> Double?

  static let trainLoss = PointValue(title: "training loss, nats") { $0.train?.loss }
  static let testLoss = PointValue(title: "test loss, nats") { $0.test?.loss }
  static let trainAccuracy = PointValue(title: "training accuracy, %") { $0.train.map { 100 * $0.accuracy } }
  static let testAccuracy = PointValue(title: "test accuracy, %") { $0.test.map { 100 * $0.accuracy } }
  static let testError = PointValue(title: "test error, %") { $0.test.map { 100 * (1 - $0.accuracy) } }
}
