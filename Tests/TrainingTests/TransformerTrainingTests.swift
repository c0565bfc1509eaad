import Datasets
import Networks
import Testing
import Torch
import Training

/// A transformer in bfloat16 autocast with AdamW: attention, layer norm and GELU in lower precision, weights and
/// averages in float32.
@Suite struct TransformerTrainingTests {
  private static func trainer(_ autocast: DType?, dropPath: Double = 0, seed: Int = 0, state: TrainingState? = nil)
    throws
    -> Trainer
  {
    let network = try VisionTransformer(
      imageSize: 8, patch: 4, width: 16, depth: 2, heads: 2, dropPath: dropPath, classes: 10,
      generator: Generator(seed: 1))
    return try Trainer(
      network, batches: Samples.batches(augmentation: .none),
      optimizer: .adamW(AdamW(exemptNormsAndBiases: true, clip: 1)),
      loss: CrossEntropy(labelSmoothing: 0.1), seed: seed, autocast: autocast, state: state)
  }

  @Test func bfloat16FollowsFloat32() throws {
    let (exact, rounded) = try (Self.trainer(nil), Self.trainer(.bfloat16))
    var losses: [(Double, Double)] = []
    for _ in 0..<40 {
      losses.append((try exact.advance(learningRate: 3e-3), try rounded.advance(learningRate: 3e-3)))
    }
    let (first, last) = (losses[0], losses[39])
    #expect(abs(first.0 - first.1) < 0.01 * first.0)
    #expect(first.0 != first.1, "nothing was computed in bfloat16")
    #expect(last.0 < 0.8 * first.0 && abs(last.0 - last.1) < 0.05 * last.0, "\(losses)")
    let state = try rounded.state()
    #expect(try state.weights.isFinite() && state.slots.isFinite())
    #expect((state.weights.tensors + state.slots.tensors).allSatisfy { $0.dtype == .float32 })
  }

  /// What is dropped depends on the seed and the step, and not on what was drawn before.
  @Test(arguments: [nil, DType.bfloat16]) func droppingIsAFunctionOfSeedAndStep(_ autocast: DType?) throws {
    func losses(_ seed: Int, from state: TrainingState? = nil, steps: Int) throws -> ([Double], TrainingState) {
      let trainer = try Self.trainer(autocast, dropPath: 0.3, seed: seed, state: state)
      return (try (0..<steps).map { _ in try trainer.advance(learningRate: 1e-3) }, try trainer.state())
    }
    let (whole, end) = try losses(1, steps: 6)
    let (first, state) = try losses(1, steps: 2)
    let (rest, resumed) = try losses(1, from: state, steps: 4)
    #expect(first + rest == whole)
    #expect(try resumed.weights.isIdentical(to: end.weights) && resumed.slots.isIdentical(to: end.slots))
    #expect(try losses(2, steps: 6).0 != whole)
  }
}
