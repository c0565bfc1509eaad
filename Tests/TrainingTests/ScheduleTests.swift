import Foundation
import TestSupport
import Testing
import Training

@Suite struct ScheduleTests {
  @Test func lengthsAreReadAndWritten() throws {
    #expect(TrainingLength("25 epochs") == .epochs(25))
    #expect(TrainingLength("1 epoch") == .epochs(1))
    #expect(TrainingLength(" 0.5epochs ") == .epochs(0.5))
    #expect(TrainingLength("200 steps") == .steps(200))
    #expect(TrainingLength("2e3 steps") == .steps(2000))
    #expect(TrainingLength("25") == .epochs(25))
    for bad in ["", "epochs", "-1 epochs", "nan", "inf epochs", "1.5 steps", "3 weeks", "1e99 steps", "1 2 steps"] {
      #expect(TrainingLength(bad) == nil, "\(bad)")
    }
    for length in [TrainingLength.epochs(25), .epochs(1), .epochs(0.1), .steps(1), .steps(200)] {
      #expect(TrainingLength(length.description) == length)
      let data = try JSONEncoder().encode([length])
      #expect(try JSONDecoder().decode([TrainingLength].self, from: data) == [length])
    }
    #expect(TrainingLength.epochs(0.1).description == "0.1 epochs")
  }

  @Test func lengthsBecomeSteps() {
    #expect(TrainingLength.epochs(2.5).steps(stepsPerEpoch: 31) == 78)  // 77.5 rounds away from zero
    #expect(TrainingLength.steps(7).steps(stepsPerEpoch: 31) == 7)
    #expect(TrainingLength.epochs(1e300).steps(stepsPerEpoch: 31) == Int(Int32.max))
    #expect(TrainingLength.epochs(.infinity).steps(stepsPerEpoch: 31) == Int(Int32.max))
  }

  @Test(arguments: [
    (DecayShape.oneMinusSquareRoot, 0.5), (.squareRoot, 0.8660254037844386), (.linear, 0.75),
    (.cosine, 0.8535533905932737), (.square, 0.9375), (.exponential, 0.31622776601683794),
  ])
  func shapesAtAQuarter(_ shape: DecayShape, _ expected: Double) {
    #expect(abs(shape.factor(0.25) - expected) < 1e-15)
    #expect(shape.factor(0) == 1)
    #expect(shape.factor(1) == (shape == .exponential ? 0.01 : 0))
    let values = (0...100).map { shape.factor(Double($0) / 100) }
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 > $1 }, "\(shape) falls all the way")
  }

  @Test func phasesFollowEachOther() {
    let plan = WarmupStableDecay(warmup: .steps(4), stable: .epochs(1), decay: .steps(4))
    let schedule = Schedule(plan, learningRate: 0.2, stepsPerEpoch: 3)
    #expect(schedule.trunkSteps == 7)
    #expect(schedule.totalSteps == 11)
    let rates = (0...11).map(schedule.learningRate(atStep:))
    let decay = [1, 1 - 0.25.squareRoot(), 1 - 0.5.squareRoot(), 1 - 0.75.squareRoot()].map { 0.2 * $0 }
    let expected = [0.05, 0.1, 0.15, 0.2, 0.2, 0.2, 0.2] + decay + [0]
    #expect(zip(rates, expected).allSatisfy { abs($0 - $1) < 1e-15 }, "\(rates)")
    #expect(schedule.trunkLearningRate(atStep: 500) == 0.2)
    #expect(schedule.endpointLearningRate(atStep: 0) == 0.2)
  }

  @Test func withoutWarmupTheFirstStepHasThePeak() {
    let plan = WarmupStableDecay(warmup: .zero, stable: .steps(1), decay: .zero)
    let schedule = Schedule(plan, learningRate: 0.3, stepsPerEpoch: 10)
    #expect(schedule.learningRate(atStep: 0) == 0.3)
    #expect(schedule.learningRate(atStep: 1) == 0)
  }

  /// A schedule of `training.py`.
  static func cosine(_ name: String, _ fixture: Fixture, learningRate: Double) throws -> Schedule {
    let settings = try #require(fixture.setting("schedules", [String: [String: Double]].self)[name])
    func steps(_ key: String) -> TrainingLength { .steps(Int(settings[key] ?? 0)) }
    let plan = WarmupCosine(warmup: steps("warmup"), length: steps("length"), final: settings["final"] ?? 0)
    return Schedule(plan, learningRate: learningRate, stepsPerEpoch: 7)
  }

  @Test(arguments: ["warmup", "warmup.final", "cosine"]) func cosineAgreesWithPyTorch(_ name: String) throws {
    let fixture = try Fixture("training")
    let schedule = try Self.cosine(name, fixture, learningRate: 0.4)
    let expected = try fixture["schedule/\(name)"].array(Double.self)
    #expect(schedule.trunkSteps == 0 && schedule.totalSteps == expected.count)
    for (step, rate) in expected.enumerated() {
      #expect(abs(schedule.endpointLearningRate(atStep: step) - rate) < 1e-12)
      #expect(schedule.learningRate(atStep: step) == schedule.endpointLearningRate(atStep: step))
    }
    #expect(schedule.learningRate(atStep: expected.count) == 0)
  }

  @Test func aWarmupAsLongAsEverythingRisesToThePeak() {
    let plan = WarmupCosine(warmup: .epochs(5), length: .steps(4))
    let schedule = Schedule(plan, learningRate: 1, stepsPerEpoch: 10)
    #expect((0..<4).map(schedule.learningRate(atStep:)) == [0.25, 0.5, 0.75, 1])
  }

  @Test func constantHoldsThePeak() {
    let schedule = Schedule(constant: 0.4, steps: 3, endpointSteps: 2)
    #expect((0..<5).map(schedule.learningRate(atStep:)) == [0.4, 0.4, 0.4, 0.4, 0.4])
    #expect(schedule.learningRate(atStep: 5) == 0)
  }
}
