import Networks
import Support
import TestSupport
import Testing
import Torch

@testable import Alignment

@Suite struct WeightMatchingTests {
  struct Expected: Decodable {
    let objective: Double
    let sweeps: Int
    let permutations: [[Int]]
  }

  /// numpy and scipy, in the same order of groups.
  @Test(arguments: ["mlp", "resnet"], ["strange", "planted"])
  func endsWhereThePlainAlgorithmEnds(_ name: String, _ kind: String) throws {
    let fixture = try Fixture("alignment")
    let network: any Module =
      name == "mlp"
      ? try MLP(inputs: 20, hidden: [24, 24, 16], classes: 10, generator: Generator(seed: 0))
      : try ResNet(blocks: [2, 1, 1], width: 6, classes: 10, generator: Generator(seed: 0))
    let symmetry = try Symmetry(of: network)
    let (a, b) = (fixture.part("\(name)/a/"), fixture.part("\(name)/\(kind)/"))
    for seed in 0..<3 {
      let expected: Expected = try fixture.setting("\(name)/\(kind)/\(seed)")
      var objectives: [Double] = []
      let result = try WeightMatching(seed: UInt64(seed)).match(b, to: a, symmetry) { objectives.append($2) }
      #expect(result.permutations.map(\.indices) == expected.permutations)
      #expect(abs(result.objective - expected.objective) < 1e-9 * expected.objective)
      #expect(result.sweeps == expected.sweeps && result.isConverged)
      // It never falls, and is what it says.
      #expect(zip([result.former] + objectives, objectives).allSatisfy { $0 <= $1 })
      let dot = try symmetry.apply(result.permutations, to: b).filter { name, _ in !name.contains("running") }
        .dot(a.filter { name, _ in !name.contains("running") })
      #expect(abs(dot - result.objective) < 1e-9 * dot)
    }
  }

  @Test func aPlantedPermutationIsFoundUnderAsMuchNoiseAsWeight() throws {
    let network = try MLP(inputs: 256, hidden: [512, 512], classes: 10, generator: Generator(seed: 1))
    let symmetry = try Symmetry(of: network)
    try expectFound(network, symmetry, noise: 1, sweeps: 2...6)
  }

  @Test(arguments: [Architecture.Name.resnet, .vgg11BatchNorm, .densenet121, .vit, .clip, .convnext, .gpt])
  func aPlantedPermutationIsFoundInEveryFamily(_ name: Architecture.Name) throws {
    let small = try SmallNetwork(name, dtype: .float32)
    try expectFound(small.network, small.symmetry, noise: 0.02, sweeps: 1...20)
  }

  private func expectFound(
    _ network: any Module, _ symmetry: Symmetry, noise: Double, sweeps: ClosedRange<Int>
  ) throws {
    let a = network.weights
    let random = try Generator(seed: 4)
    let noisy = try a.mapTensors { _, tensor in
      guard tensor.dtype.isFloatingPoint else { return tensor }
      let deviation = try tensor.square().mean().sqrt().item()
      return try tensor + Tensor.normal(tensor.shape, generator: random) * (noise * deviation)
    }
    var planting = SplitMix64(8)
    let planted = symmetry.groups.map { Permutation(random: $0.count, using: &planting) }
    // The best of a few starts: small networks have poor local maxima.
    let result = try WeightMatching(starts: noise < 1 ? 4 : 1)
      .match(symmetry.apply(planted, to: noisy), to: a, symmetry)
    #expect(result.permutations == planted.map(\.inverse))
    #expect(sweeps.contains(result.sweeps) && result.isConverged, "\(result.sweeps)")
  }

  @Test func furtherStartsFindNoWorse() throws {
    let fixture = try Fixture("alignment")
    let network = try MLP(inputs: 20, hidden: [24, 24, 16], classes: 10, generator: Generator(seed: 0))
    let symmetry = try Symmetry(of: network)
    let (a, b) = (fixture.part("mlp/a/"), fixture.part("mlp/strange/"))
    let one = try WeightMatching().match(b, to: a, symmetry)
    let many = try WeightMatching(starts: 8).match(b, to: a, symmetry)
    #expect(many.objective >= one.objective)
    // From its end, nothing is left to gain.
    let again = try WeightMatching().match(b, to: a, symmetry, from: many.permutations)
    #expect(again.permutations == many.permutations && again.sweeps == 1)
    #expect(try WeightMatching(maximumSweeps: 1).match(b, to: a, symmetry).isConverged == false)
  }

  @Test func weightsThatDoNotFitAreNamed() throws {
    let network = try MLP(inputs: 4, hidden: [3], classes: 2, generator: Generator(seed: 0))
    let symmetry = try Symmetry(of: network)
    let a = network.weights
    var b = try a.clone()
    b["layers.0.bias"] = try Tensor([0, .nan, 1] as [Float])
    var error = #expect(throws: AlignmentError.self) { try WeightMatching().match(b, to: a, symmetry) }
    #expect(error?.description.contains("B's layers.0.bias has elements that are not finite") == true)
    b["layers.0.bias"] = try .zeros([4])
    error = #expect(throws: AlignmentError.self) { try WeightMatching().match(b, to: a, symmetry) }
    #expect(error?.description.contains("B's layers.0.bias is [4] float32, expected [3]") == true)
  }
}
