import Networks
import Support
import TestSupport
import Testing
import Torch
import Training

@testable import Landscape

@Suite struct PathTests {
  @Test(arguments: [
    ("mlp", BatchNormPolicy.off, "line"), ("resnet", .off, "line"), ("resnet", .full, "line.reestimated"),
  ])
  func agreesWithPyTorch(_ prefix: String, _ policy: BatchNormPolicy, _ key: String) throws {
    let samples = try Samples(prefix)
    let path = WeightPath(from: samples.weights("a"), to: samples.weights("b"))
    let expected = try samples.scores(key)
    let measured = try PathMeasure(
      path, positions: WeightPath.positions(expected.count), by: samples.evaluator(policy))
    for (point, theirs) in zip(measured.points, expected) {
      let ours = try #require(point.test)
      #expect(abs(ours.loss - theirs.loss) < 2e-5 * max(1, theirs.loss), "\(ours) is not \(theirs)")
      #expect(abs(ours.accuracy - theirs.accuracy) < 0.017)
    }
    let barrier = try #require(measured.testBarrier)
    let oracle = Barrier(positions: measured.positions, losses: expected.map(\.loss))
    #expect(abs(barrier.height - oracle.height) < 1e-4 && barrier.position == oracle.position)
    #expect(measured.trainBarrier == nil)
  }

  @Test func theEndsAreTheNetworksThemselves() throws {
    let samples = try Samples("resnet")
    let (a, b, c) = (samples.weights("a"), samples.weights("b"), samples.weights("c"))
    for path in [
      WeightPath(from: a, to: b), WeightPath(from: a, to: b, shape: .bezier, controls: [c]),
      WeightPath(from: a, to: b, shape: .polygonal, controls: [c, c]),
    ] {
      let point = try MovingPoint(at: c)
      try point.move(to: path.terms(at: 0))
      #expect(try point.weights.isIdentical(to: a))
      try point.move(to: path.terms(at: 1))
      #expect(try point.weights.isIdentical(to: b))
      for position in [0.1, 0.5, 0.75] {
        #expect(abs(path.coefficients(at: position).reduce(0, +) - 1) < 1e-12)
      }
    }
    let bezier = WeightPath(from: a, to: b, shape: .bezier, controls: [c])
    #expect(bezier.coefficients(at: 0.5) == [0.25, 0.5, 0.25])
    let chain = WeightPath(from: a, to: b, shape: .polygonal, controls: [c])
    #expect(chain.coefficients(at: 0.75) == [0, 0.5, 0.5])
    let point = try MovingPoint(at: a)
    try point.move(to: WeightPath(from: a, to: b).terms(at: 0.3))
    #expect(try deviations(point.weights.floating, a.interpolated(to: b, at: 0.3).floating, tolerance: 1e-6) == [])
  }

  @Test func reestimationGivesBackTheEnd() throws {
    let samples = try Samples("resnet")
    let a = samples.weights("a")
    let own = try #require(try samples.evaluator(.off).measure(at: a).test)
    let evaluator = try samples.evaluator(.subset(60))
    let anew = try #require(try evaluator.measure(at: a).test)
    #expect(abs(own.accuracy - anew.accuracy) < 0.05 && own.loss != anew.loss)
    #expect(evaluator.batchNormWords == "BatchNorm re-estimated at every point on the same 64 training examples")
    // The caller's weights keep their statistics.
    #expect(try a.isIdentical(to: Samples("resnet").weights("a")))
    #expect(try samples.evaluator(.off).measure(at: a).test == own)
    let plain = try Samples("mlp")
    #expect(try plain.evaluator(.full).batchNormWords == nil && plain.evaluator(.full).batchNorm == .off)
  }

  @Test func aTrainedCurveIsNoHigherThanTheLine() throws {
    let samples = try Samples("mlp")
    let (a, b) = (samples.weights("a"), samples.weights("b"))
    let positions = WeightPath.positions(9)
    let line = try PathMeasure(WeightPath(from: a, to: b), positions: positions, by: samples.evaluator(.off))
    for shape in [WeightPath.Shape.bezier, .polygonal] {
      let training = CurveTraining(shape: shape, steps: 150, learningRate: 0.05, weightDecay: 0, seed: 3)
      var halfway: TrainingState?
      let curve = try training.train(
        samples.network, from: a, to: b, on: samples.batches(), saveEvery: 60,
        save: { if $0.step == 60 { halfway = $0 } })
      #expect(try curve.start.isIdentical(to: samples.weights("a")) && curve.end.isIdentical(to: samples.weights("b")))
      let measured = try PathMeasure(curve, positions: positions, by: samples.evaluator(.off))
      let (ours, theirs) = try (#require(measured.testBarrier), #require(line.testBarrier))
      #expect(ours.height < theirs.height / 2, "\(shape): \(ours.height), the line \(theirs.height)")
      // Stopped and gone on with, it comes to the same bits.
      let state = try #require(halfway)
      let resumed = try training.train(samples.network, from: a, to: b, on: samples.batches(), state: state)
      #expect(try resumed.controls[0].isIdentical(to: curve.controls[0]))
    }
  }

  @Test func mistakesAreNamed() throws {
    let samples = try Samples("mlp")
    var broken = samples.weights("a")
    broken["layers.1.bias"] = try Tensor([Float.nan, 1, .infinity, 0, 0])
    let error = #expect(throws: LandscapeError.self) { try broken.requireFinite(of: "a.pt") }
    #expect(error?.description.contains("a.pt: layers.1.bias [5] float32 has 2 of 5") == true)
    try samples.weights("a").requireFinite(of: "a.pt")
    let path = WeightPath(from: samples.weights("a"), to: try Samples("resnet").weights("a"))
    let mixed = #expect(throws: FileError.self) {
      try PathMeasure(path, positions: [0, 0.5, 1], by: samples.evaluator(.off))
    }
    #expect(mixed?.description.contains("layers.0.weight [8, 48] float32 is missing") == true)
    let without = #expect(throws: LandscapeError.self) {
      try PointEvaluator(Samples("resnet").network, train: nil, test: nil, batchNorm: .full)
    }
    #expect(without?.description == "BatchNorm is to be re-estimated and there are no training batches")
    let diverged = #expect(throws: LandscapeError.self) {
      try CurveTraining(shape: .bezier, steps: 20, learningRate: 1e30).train(
        samples.network, from: samples.weights("a"), to: samples.weights("b"), on: samples.batches())
    }
    #expect(diverged?.description.contains("train it with a smaller --curve-lr than 1e+30") == true)
  }

  @Test func policiesAreReadAsTheyAreWritten() {
    #expect(["off", "full", "2000"].map { BatchNormPolicy($0)?.text } == ["off", "full", "2000"])
    #expect(["", "0", "-3", "some"].allSatisfy { BatchNormPolicy($0) == nil })
  }
}
