import Checkpoints
import Datasets
import Networks
import Support
import TestSupport
import Testing
import Torch
import Training
import Weights

@Suite struct TrainerTests {
  @Test(arguments: Oracle.names, [false, true])
  func fiveStepsAgreeWithPyTorch(_ name: String, _ nesterov: Bool) throws {
    let fixture = try Fixture(name)
    let suffix = nesterov ? "_nesterov" : ""
    let trainer = try Trainer(
      Oracle.network(fixture), batches: Samples.batches(), optimizer: .sgd(SGD(nesterov: nesterov)),
      state: TrainingState(weights: fixture.part("weights/")))
    var losses: [Double] = []
    for step in 0..<5 {
      let batch = try ExampleBatch(
        inputs: fixture["batch.\(step).input"].contiguous(.channelsLast), labels: fixture["batch.\(step).labels"])
      losses.append(try trainer.advance(on: batch, learningRate: 0.05))
    }
    #expect(trainer.step == 5)
    #expect(try relativeError(Tensor(losses), fixture["losses\(suffix)"]) < 1e-5)
    let missed = try deviations(trainer.state().weights, fixture.part("after\(suffix)/"))
    #expect(missed == [])
  }

  /// A process that is saved to a file and resumed makes the same steps as one that was never interrupted, bit for bit.
  @Test(
    arguments: Samples.Kind.allCases,
    [
      (Optimizer.sgd(SGD(nesterov: true)), nil), (.sgd(SGD(nesterov: true)), .bfloat16), (.adamW(), nil),
      (.adamW(), DType.bfloat16),
    ])
  func resumedEqualsUninterrupted(_ kind: Samples.Kind, _ setting: (optimizer: Optimizer, autocast: DType?)) throws {
    func trainer(_ state: TrainingState? = nil, seed: UInt64 = 5) throws -> Trainer {
      try Trainer(
        Samples.network(kind, seed: seed), batches: Samples.batches(), optimizer: setting.optimizer,
        autocast: setting.autocast, state: state)
    }
    let whole = try trainer()
    let first = try (0..<7).map { _ in try whole.advance(learningRate: 0.05) }

    let before = try trainer()
    var second = try (0..<3).map { _ in try before.advance(learningRate: 0.05) }
    try withTemporaryFolder { folder in
      let path = folder + "/state.safetensors"
      try before.state().write(to: path, metadata: ["run": "7"])
      let (state, metadata) = try TrainingState.read(path)
      #expect(state.step == 3)
      #expect(metadata["run"] == "7")
      // Another initialisation, so that whatever is not restored shows.
      let after = try trainer(state, seed: 6)
      second += try (3..<7).map { _ in try after.advance(learningRate: 0.05) }
      let (ours, theirs) = try (after.state(), whole.state())
      #expect(first == second)
      #expect(try ours.weights.isIdentical(to: theirs.weights))
      #expect(try ours.slots.isIdentical(to: theirs.slots))
      #expect(ours.step == 7)
    }
  }

  @Test func everyPartOfTheStateMatters() throws {
    func weights(_ change: (inout TrainingState) -> Void) throws -> Weights {
      let batches = try Samples.batches()
      let before = try Trainer(Samples.network(.resnet), batches: batches, optimizer: .sgd())
      for _ in 0..<3 { _ = try before.advance(learningRate: 0.05) }
      var state = try before.state()
      change(&state)
      let after = try Trainer(Samples.network(.resnet), batches: batches, optimizer: .sgd(), state: state)
      for _ in 0..<2 { _ = try after.advance(learningRate: 0.05) }
      return try after.state().weights
    }
    let expected = try weights { _ in }
    #expect(try weights { _ in }.isIdentical(to: expected))
    #expect(try !weights { $0.slots = Weights() }.isIdentical(to: expected))
    #expect(try !weights { $0.step = 0 }.isIdentical(to: expected))
  }

  @Test func stateIsACopyAndTheCallersWeightsStayAsTheyWere() throws {
    let network = try Samples.network(.resnet)
    let given = network.weights
    let copy = try given.clone()
    let trainer = try Trainer(network, batches: Samples.batches(), optimizer: .sgd())
    let state = try trainer.state()
    let stateCopy = try state.weights.clone()
    _ = try trainer.advance(learningRate: 0.1)
    #expect(try given.isIdentical(to: copy))
    #expect(try state.weights.isIdentical(to: stateCopy))
    #expect(try !trainer.state().weights.isIdentical(to: stateCopy))
  }

  @Test(arguments: Samples.Kind.allCases) func divergenceLeavesTheStateFinite(_ kind: Samples.Kind) throws {
    var batches = try Samples.batches()
    let trainer = try Trainer(Samples.network(kind), batches: batches, optimizer: .sgd())
    let batch = try batches.batch(at: 0)
    let unbounded = try ExampleBatch(inputs: batch.inputs * Double.infinity, labels: batch.labels)
    _ = try trainer.advance(learningRate: 0.05)
    let before = try trainer.state()
    #expect(try !trainer.advance(on: unbounded, learningRate: 0.05).isFinite)
    let after = try trainer.state()
    #expect(trainer.step == 1)
    #expect(try after.weights.isFinite())
    #expect(try after.weights.isIdentical(to: before.weights))
    #expect(try after.slots.isIdentical(to: before.slots))
  }

  @Test func tooLargeALearningRateIsNoticedBeforeTheWeightsAreLost() throws {
    let trainer = try Trainer(Samples.network(.mlp), batches: Samples.batches(), optimizer: .sgd())
    var loss = 0.0
    for _ in 0..<200 where loss.isFinite { loss = try trainer.advance(learningRate: 1e8) }
    #expect(!loss.isFinite)
    #expect(try trainer.state().weights.isFinite())
  }

  @Test func stateOfAnotherNetworkIsRefused() throws {
    let other = try Samples.network(.mlp).weights
    let wrongWeights = failure(of: FileError.self) {
      try Trainer(
        Samples.network(.resnet), batches: Samples.batches(), optimizer: .sgd(), state: TrainingState(weights: other))
    }
    #expect(wrongWeights.contains("conv1.weight") && wrongWeights.contains("is missing"), "\(wrongWeights)")
    let network = try Samples.network(.resnet)
    let wrongSlots = failure(of: FileError.self) {
      try Trainer(
        network, batches: Samples.batches(), optimizer: .sgd(),
        state: TrainingState(weights: network.weights, slots: other))
    }
    #expect(wrongSlots.contains("velocity/conv1.weight") && wrongSlots.contains("is missing"), "\(wrongSlots)")
  }

  @Test func learnsSequences() throws {
    let tokens = TokenSource(sequences: [[0, 1, 2, 3, 4], [4, 5, 6, 0, 1]], vocabulary: 7)
    let trainer = try Trainer(TokenTable(vocabulary: 7), batches: tokens, optimizer: .sgd(SGD(weightDecay: 0)))
    for _ in 0..<100 { _ = try trainer.advance(learningRate: 1) }
    let evaluation = try Evaluation(trainer.network, on: tokens)
    #expect(evaluation.accuracy == 1)
    #expect(evaluation.loss < 0.1)
  }

  @Test func learns() throws {
    let trainer = try Trainer(
      Samples.network(.resnet), batches: Samples.batches(augmentation: .none), optimizer: .sgd(SGD(weightDecay: 0)))
    for step in 0..<150 { _ = try trainer.advance(learningRate: step < 100 ? 0.1 : 0.01) }
    #expect(try Evaluation(trainer.network, on: Samples.dataset()).accuracy > 0.9)
  }
}
