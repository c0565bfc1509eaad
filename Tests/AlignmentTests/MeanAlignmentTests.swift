import Networks
import Support
import Testing
import Torch
import Weights

@testable import Alignment

@Suite struct MeanAlignmentTests {
  @Test func permutedCopiesComeTogether() throws {
    let network = try MLP(inputs: 24, hidden: [20, 16], classes: 4, generator: Generator(seed: 1))
    let symmetry = try Symmetry(of: network)
    let base = network.weights
    let random = try Generator(seed: 2)
    var copies: [Weights] = []
    for seed in 0..<4 as Range<UInt64> {
      let noisy = try base.mapTensors { _, tensor in try tensor + Tensor.normal(tensor.shape, generator: random) * 0.01
      }
      copies.append(try symmetry.apply(element(symmetry, seed), to: noisy))
    }
    var spreads: [Double] = []
    let result = try MeanAlignment().match(copies, symmetry) { spreads.append($1) }
    #expect(result.isConverged && result.rounds == spreads.count)
    #expect(zip([result.former] + spreads, spreads).allSatisfy { $0 >= $1 - 1e-9 })
    // What is left is the noise, 0.01 · √(numbers · 3/4).
    let noise = 0.01 * (Double(base.elementCount) * 0.75).squareRoot()
    #expect(abs(result.spread / noise - 1) < 0.1)
    #expect(result.former > 5 * noise)
  }

  private func element(_ symmetry: Symmetry, _ seed: UInt64) -> [Permutation] {
    var random = SplitMix64(seed)
    return symmetry.groups.map { Permutation(random: $0.count, using: &random) }
  }

  @Test func oneNetworkIsRefused() throws {
    let network = try MLP(inputs: 4, hidden: [3], classes: 2, generator: Generator(seed: 1))
    let error = #expect(throws: AlignmentError.self) {
      try MeanAlignment().match([network.weights], Symmetry(of: network))
    }
    #expect(error?.description == "two networks or more are needed to align them to their mean")
  }
}
