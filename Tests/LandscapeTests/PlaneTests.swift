import Support
import TestSupport
import Testing
import Torch
import Weights

@testable import Landscape

@Suite struct PlaneTests {
  private let samples: Samples
  init() throws { samples = try Samples("mlp") }

  @Test func agreesWithPyTorch() throws {
    let plane = try ThreePointPlane(samples.weights("a"), samples.weights("b"), samples.weights("c"))
    let lengths = try samples.fixture["mlp/plane.lengths"].array(Double.self)
    for (ours, theirs) in zip([plane.width, plane.height, plane.p], lengths) {
      #expect(abs(ours - theirs) < 1e-6 * theirs)
    }
    let expected = try samples.scores("plane")
    let grid = PlaneMeasure.coordinates(from: -0.2, to: 1.2, count: 5)
    let evaluator = try samples.evaluator(.off)
    let point = try MovingPoint(at: plane.a)
    for (row, beta) in grid.enumerated() {
      for (column, alpha) in grid.enumerated() {
        try point.move(to: plane.terms(alpha: alpha, beta: beta))
        let ours = try #require(try evaluator.measure(at: point.weights).test)
        let theirs = expected[row * 5 + column]
        #expect(abs(ours.loss - theirs.loss) < 1e-4 * max(1, theirs.loss))
        #expect(abs(ours.accuracy - theirs.accuracy) < 0.017)
      }
    }
  }

  @Test func theThreePointsAreWhereTheirCoordinatesSay() throws {
    let points = ["a", "b", "c"].map(samples.weights)
    let plane = try ThreePointPlane(points[0], points[1], points[2])
    let point = try MovingPoint(at: points[0])
    for (corner, weights) in zip(plane.corners, points) {
      try point.move(to: plane.terms(alpha: corner.alpha, beta: corner.beta))
      #expect(try deviations(point.weights, weights, tolerance: 1e-7) == [])
    }
    // Orthogonal, and as long as it says.
    try point.move(to: plane.terms(alpha: 0, beta: 1))
    let side = try point.weights - points[0]
    #expect(abs(try side.dot(points[1] - points[0])) < 1e-4)
    #expect(abs(try side.norm() - plane.height) < 1e-4)
  }

  @Test func statisticsAreNoDirection() throws {
    let networks = try Samples("resnet")
    let trainable = networks.trainable
    var b = networks.weights("b")
    let plane = try ThreePointPlane(
      networks.weights("a"), b, networks.weights("c"), spannedBy: trainable.contains)
    b["bn1.running_mean"] = try #require(b["bn1.running_mean"]) * 100.0
    let other = try ThreePointPlane(
      networks.weights("a"), b, networks.weights("c"), spannedBy: trainable.contains)
    #expect(plane.width == other.width && plane.p == other.p)
  }

  @Test func pointsOnALineSpanNoPlane() throws {
    let (a, b) = (samples.weights("a"), samples.weights("b"))
    let middle = try a.interpolated(to: b, at: 0.3)
    let error = #expect(throws: LandscapeError.self) {
      try ThreePointPlane(a, b, middle, names: ["one", "two", "between"])
    }
    #expect(error?.description.contains("one, two and between lie on one line (between at λ = 0.3 of it)") == true)
    // Off the line by rounding alone, which between near points is much of their distance.
    let near = try a.interpolated(to: b, at: 1e-4)
    let between = try a.interpolated(to: near, at: 0.5)
    for (points, words) in [
      ([a, near, between], "A, B and C lie on one line"),
      ([a, a, b], "A and B are the same point; a plane needs three that differ"),
      ([a, b, a], "A, B and C lie on one line (C at λ = 0.0 of it)"),
    ] {
      let error = #expect(throws: LandscapeError.self) { try ThreePointPlane(points[0], points[1], points[2]) }
      #expect(error?.description.contains(words) == true)
    }
    let other = #expect(throws: FileError.self) { try ThreePointPlane(a, b, Samples("resnet").weights("a")) }
    #expect(other?.description.contains("layers.0.weight [8, 48] float32 is missing") == true)
  }

  @Test func randomDirectionsHaveTheFiltersLengths() throws {
    let networks = try Samples("resnet")
    let a = networks.weights("a")
    let plane = try RandomPlane(around: a, trainable: networks.trainable, seed: 4)
    for direction in [plane.first, plane.second] {
      for (name, tensor) in direction {
        let own = try #require(a[name])
        guard tensor.rank > 1 else {
          #expect(try tensor.to(.float64).abs().sum().item() == 0, "\(name) has a direction")
          continue
        }
        let (ours, theirs) = try (
          tensor.flatten(from: 1).norm(dimensions: [1]), own.flatten(from: 1).norm(dimensions: [1])
        )
        #expect(try relativeError(ours, theirs) < 1e-5, "\(name)")
      }
    }
    #expect(try !plane.first.isIdentical(to: plane.second))
    let again = try RandomPlane(around: a, trainable: networks.trainable, seed: 4)
    #expect(try again.second.isIdentical(to: plane.second))
    let point = try MovingPoint(at: networks.weights("b"))
    try point.move(to: plane.terms(alpha: 0, beta: 0))
    #expect(try point.weights.isIdentical(to: a))
  }
}
