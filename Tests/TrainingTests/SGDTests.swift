import TestSupport
import Testing
import Torch
import Training

@Suite struct SGDTests {
  /// Twenty steps on a quadratic in float64, compared with PyTorch (coupled decay) and with the formula (decoupled).
  @Test(arguments: [false, true], [(0.0, false), (0.9, false), (0.9, true)])
  func followsTheTrajectoryOnAQuadratic(_ decoupled: Bool, _ variant: (momentum: Double, nesterov: Bool)) throws {
    let fixture = try Fixture("sgd")
    let (curvature, linear) = try (fixture["curvature"], fixture["linear"])
    let sgd = SGD(
      momentum: variant.momentum, weightDecay: 0.05, nesterov: variant.nesterov, decoupledWeightDecay: decoupled)
    let weights = try fixture["start"].clone()
    let velocity = try variant.momentum > 0 ? [weights.zerosLike()] : []
    var points: [Tensor] = []
    for rate in try fixture["learningRates"].array(Double.self) {
      let gradient = try curvature * weights - linear
      try sgd.update([weights], gradients: [gradient], velocity: velocity, learningRate: rate)
      points.append(try weights.clone())
    }
    let label = "momentum.\(variant.momentum)" + (variant.nesterov ? ".nesterov" : "")
    let expected = try fixture["\(decoupled ? "decoupled" : "coupled")/\(label)"]
    #expect(try relativeError(Tensor.stack(points), expected) < 1e-12)
  }
}
