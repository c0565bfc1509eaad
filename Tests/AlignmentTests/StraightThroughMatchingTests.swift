import Networks
import TestSupport
import Testing
import Torch

@testable import Alignment

@Suite struct StraightThroughMatchingTests {
  struct Expected: Decodable {
    let rate, former: Double
    /// The lowest so far after each step
    let losses: [Double]
    let compared, batch, step: Int
    let permutations: [[Int]]
  }

  @Test(arguments: ["mlp", "resnet"]) func agreesWithPyTorch(_ name: String) throws {
    let fixture = try Fixture("midpoints")
    let prefix = "through-\(name)"
    let expected: Expected = try fixture.setting(prefix)
    let generator = try Generator(seed: 0)
    let network: any Module =
      name == "mlp"
      ? try MLP(inputs: 12, hidden: [8, 6], classes: 4, generator: generator)
      : try ResNet(blocks: [1, 1], width: 4, classes: 4, generator: generator)
    let examples = try Examples(
      fixture["\(prefix)/inputs"], labels: fixture["\(prefix)/labels"], classes: 4, batchSize: expected.batch)
    let matching = StraightThroughMatching(
      steps: expected.losses.count, learningRate: expected.rate, compared: expected.compared)
    var losses: [Double] = []
    let found = try matching.match(
      fixture.part("\(prefix)/b/"), to: fixture.part("\(prefix)/a/"), Symmetry(of: network), of: network, on: examples
    ) { losses.append($1) }
    #expect(found.permutations.map(\.indices) == expected.permutations && found.step == expected.step)
    for (ours, theirs) in zip([found.former] + losses, [expected.former] + expected.losses) {
      #expect(abs(ours - theirs) < 1e-5)
    }
    #expect(losses.count == expected.losses.count)
  }

  @Test(arguments: [Architecture.Name.mlp, .resnet]) func endsNoWorseThanItBegan(_ name: Architecture.Name) throws {
    let (small, other) = (try SmallNetwork(name, dtype: .float32), try SmallNetwork(name, dtype: .float32))
    let random = try Generator(seed: 21)
    let (a, b) = (
      small.network.weights,
      try other.network.weights.mapTensors { _, tensor in
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
