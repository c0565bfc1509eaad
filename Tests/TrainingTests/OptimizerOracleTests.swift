import Checkpoints
import Datasets
import Networks
import Support
import TestSupport
import Testing
import Torch
import Training

/// Twenty steps of a small ResNet, as PyTorch's optimizers make them.
@Suite struct OptimizerOracleTests {
  /// A case of `training.py`.
  struct Case: Decodable {
    struct Settings: Decodable {
      let lr, weight_decay: Double
      let betas: [Double]?
      let eps, momentum: Double?
    }
    let optimizer: Settings
    let exempt: Bool?
    let clip, smoothing: Double?
    let schedule: String?
    let freeze: [String]?

    var settings: Optimizer {
      guard let betas = optimizer.betas else {
        return .sgd(
          SGD(
            learningRate: optimizer.lr, momentum: optimizer.momentum ?? 0, weightDecay: optimizer.weight_decay,
            clip: clip))
      }
      return .adamW(
        AdamW(
          learningRate: optimizer.lr, betas: .init(betas[0], betas[1]), epsilon: optimizer.eps ?? 1e-8,
          weightDecay: optimizer.weight_decay, exemptNormsAndBiases: exempt ?? false, clip: clip))
    }
  }

  static func trainer(_ name: String, _ fixture: Fixture, state: TrainingState? = nil) throws -> (Trainer, Schedule) {
    let given = try #require(fixture.setting("cases", [String: Case].self)[name])
    let network = try ResNet(blocks: [1, 1], width: 4, classes: 5, generator: Generator(seed: 0))
    let trainer = try Trainer(
      network, batches: Samples.batches(), optimizer: given.settings,
      loss: CrossEntropy(labelSmoothing: given.smoothing ?? 0), trained: .init(freeze: given.freeze ?? []),
      state: state ?? TrainingState(weights: fixture.part("weights/")))
    let schedule =
      try given.schedule.map { try ScheduleTests.cosine($0, fixture, learningRate: given.optimizer.lr) }
      ?? Schedule(constant: given.optimizer.lr, steps: 20)
    return (trainer, schedule)
  }

  static func batch(_ step: Int, _ fixture: Fixture) throws -> ExampleBatch {
    try ExampleBatch(
      inputs: fixture["inputs"].select(0, step).contiguous(.channelsLast), labels: fixture["labels"].select(0, step))
  }

  @Test(arguments: [
    "adamw", "adamw.exempt", "adamw.clip", "adamw.smoothing", "adamw.all", "adamw.frozen", "sgd.clip",
  ])
  func twentyStepsAgreeWithPyTorch(_ name: String) throws {
    let fixture = try Fixture("training")
    let (trainer, schedule) = try Self.trainer(name, fixture)
    let losses = try (0..<20).map { step in
      try trainer.advance(on: Self.batch(step, fixture), learningRate: schedule.learningRate(atStep: step))
    }
    let state = try trainer.state()
    #expect(try relativeError(Tensor(losses), fixture["\(name)/losses"]) < 1e-5)
    #expect(try deviations(state.weights, fixture.part("\(name)/after/")) == [])
    var slots = state.slots
    if name.hasPrefix("adamw") {
      #expect(try slots["updates"]?.item() == 20)
      slots = slots.filter { name, _ in name != "updates" }
    }
    #expect(try deviations(slots, fixture.part("\(name)/slots/")) == [])
  }

  @Test func frozenParametersKeepEveryBit() throws {
    let fixture = try Fixture("training")
    let (trainer, _) = try Self.trainer("adamw.frozen", fixture)
    for step in 0..<20 { _ = try trainer.advance(on: Self.batch(step, fixture), learningRate: 3e-3) }
    let state = try trainer.state()
    let before = fixture.part("weights/")
    for (name, parameter) in trainer.network.parameters() where parameter.isTrainable {
      let isFrozen = ["conv1", "bn1", "layer1"].contains { name.hasPrefix($0 + ".") }
      #expect(try #require(state.weights[name]).isIdentical(to: #require(before[name])) == isFrozen, "\(name)")
      #expect(try parameter.value.requiresGradient == !isFrozen && parameter.value.gradient() == nil, "\(name)")
      #expect((state.slots["exp_avg/\(name)"] == nil) == isFrozen, "\(name)")
    }
  }

  @Test(arguments: [("clipped", 0.5), ("kept", 100)])
  func clippingAgreesWithPyTorch(_ key: String, _ maximum: Double) throws {
    let fixture = try Fixture("training")
    let gradients = try (0..<3).map { try fixture["clip/input/\($0)"].clone() }
    let norm = try FusedOptimizer.clipNorm(of: gradients, to: maximum)
    #expect(try relativeError(norm, fixture["clip/\(key)/norm"]) < 1e-6)
    for (index, gradient) in gradients.enumerated() {
      #expect(try relativeError(gradient, fixture["clip/\(key)/\(index)"]) < 1e-6)
    }
  }

  /// Resumes from a file in the middle, in a network with other weights: the averages and AdamW's count are restored.
  @Test func resumedEqualsUninterrupted() throws {
    let fixture = try Fixture("training")
    let (whole, _) = try Self.trainer("adamw.all", fixture)
    for step in 0..<8 { _ = try whole.advance(on: Self.batch(step, fixture), learningRate: 0.01) }
    let (before, _) = try Self.trainer("adamw.all", fixture)
    for step in 0..<3 { _ = try before.advance(on: Self.batch(step, fixture), learningRate: 0.01) }
    try withTemporaryFolder { folder in
      try before.state().write(to: folder + "/state.safetensors")
      let (state, _) = try TrainingState.read(folder + "/state.safetensors")
      let (after, _) = try Self.trainer("adamw.all", fixture, state: state)
      for step in 3..<8 { _ = try after.advance(on: Self.batch(step, fixture), learningRate: 0.01) }
      #expect(try after.state().weights.isIdentical(to: whole.state().weights))
      #expect(try after.state().slots.isIdentical(to: whole.state().slots))
      // Without its state the optimizer takes another way.
      let (fresh, _) = try Self.trainer("adamw.all", fixture, state: TrainingState(weights: state.weights, step: 3))
      for step in 3..<8 { _ = try fresh.advance(on: Self.batch(step, fixture), learningRate: 0.01) }
      #expect(try !fresh.state().weights.isIdentical(to: whole.state().weights))
      let text = failure(of: FileError.self) {
        try Trainer(
          after.network, batches: Samples.batches(), optimizer: .sgd(),
          state: TrainingState(weights: state.weights, slots: state.slots))
      }
      #expect(text.contains("velocity/") && text.contains("exp_avg/"), "another optimizer's state: \(text)")
    }
  }
}
