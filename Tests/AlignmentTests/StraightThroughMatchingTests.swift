import Networks
import Testing
import Torch

@testable import Alignment

@Suite struct StraightThroughMatchingTests {
  @Test(arguments: [Architecture.Name.mlp, .resnet]) func endsNoWorseThanItBegan(_ name: Architecture.Name) throws {
    let (small, other) = (try SmallNetwork(name, dtype: .float32), try SmallNetwork(name, dtype: .float32))
    let random = try Generator(seed: 21)
    let (a, b) = (
      small.network.weights,
      try other.network.weights.map { _, tensor in
        tensor.dtype.isFloatingPoint ? try tensor + Tensor.uniform(tensor.shape, generator: random) * 0.3 : tensor
      }
    )
    let before = try a.clone()
    let examples = try Examples(
      .normal([64] + small.input.shape.dropFirst(), generator: random), classes: 3, batchSize: 16)
    let matching = StraightThroughMatching(steps: 6, learningRate: 0.1, compared: 2)
    var steps: [Int] = []
    let result = try matching.match(b, to: a, small.symmetry, of: small.network, on: examples) { step, _ in
      steps.append(step)
    }
    #expect(result.loss <= result.former && result.loss.isFinite && (0...6).contains(result.step))
    #expect(steps == Array(1...6))
    // The same again, and neither network has changed.
    let again = try matching.match(b, to: a, small.symmetry, of: small.network, on: examples)
    #expect(again.permutations == result.permutations && again.loss == result.loss)
    #expect(try a.isIdentical(to: before))
    let identity = try matching.match(
      b, to: a, small.symmetry, of: small.network, on: examples, from: small.symmetry.identity)
    #expect(identity.loss.isFinite)
  }
}
