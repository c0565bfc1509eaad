import Networks
import TestSupport
import Testing
import Torch

@testable import Alignment

@Suite struct ActivationMatchingTests {
  @Test(arguments: [Architecture.Name.mlp, .resnet, .vgg11, .densenet121, .vit, .clip, .convnext, .gpt])
  func findsAPlantedPermutation(_ name: Architecture.Name) throws {
    let small = try SmallNetwork(name, dtype: .float32)
    let random = try Generator(seed: 6)
    let shape = [24] + small.input.shape.dropFirst()
    let inputs: Tensor =
      small.input.dtype.isFloatingPoint
      ? try .normal(shape, generator: random) : try .integers(in: 0..<11, shape: shape, generator: random)
    let source = try Examples(inputs, classes: 3)
    let a = small.network.weights
    let planted = small.element(4)
    let b = try small.symmetry.apply(planted, to: a)
    let result = try ActivationMatching(examples: 24, batchSize: 10)
      .match(b, to: a, small.symmetry, of: small.network, on: source)
    let pairs = zip(result.permutations, planted.map(\.inverse)).flatMap { zip($0.indices, $1.indices) }
    let found = Double(pairs.count { $0 == $1 }) / Double(pairs.count)
    // Units behind a ReLU can be dead, and those that never change cannot be told apart.
    let hasReLU = ![Architecture.Name.vit, .clip, .convnext, .gpt].contains(name)
    #expect(found > (hasReLU ? 0.8 : 0.9999), "\(found)")
    #expect(result.correlation > (hasReLU ? 0.3 : 0.9999) && result.correlation > result.former)
  }

  /// Two networks that have nothing in common, against Pearson's formula written plainly.
  @Test func correlationsArePearsons() throws {
    let random = try Generator(seed: 2)
    let networks = try (0..<2).map { _ in try MLP(inputs: 6, hidden: [5], classes: 2, generator: random) }
    let inputs = try Tensor.normal([40, 6], generator: random)
    let symmetry = try Symmetry(of: networks[0])
    let result = try ActivationMatching(examples: 40, batchSize: 7).match(
      networks[1].weights, to: networks[0].weights, symmetry, of: networks[0], on: Examples(inputs, classes: 2))
    let units = try networks.map { network in
      let layer = network.layers[0]
      return try inputs.linear(layer.weight.value, layer.bias?.value).relu().to(.float64).transpose().array(Double.self)
    }
    // `match` left the first network at A.
    func unit(_ side: Int, _ index: Int) -> [Double] { Array(units[side][(index * 40)..<(index * 40 + 40)]) }
    func centred(_ x: [Double]) -> [Double] { x.map { $0 - x.reduce(0, +) / 40 } }
    func correlation(_ x: [Double], _ y: [Double]) -> Double {
      let (x, y) = (centred(x), centred(y))
      let scale = (x.reduce(0) { $0 + $1 * $1 } * y.reduce(0) { $0 + $1 * $1 }).squareRoot()
      return scale == 0 ? 0 : zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } / scale
    }
    let former = (0..<5).reduce(0) { $0 + correlation(unit(0, $1), unit(1, $1)) } / 5
    let matched =
      result.permutations[0].indices.enumerated()
      .reduce(0) { $0 + correlation(unit(0, $1.offset), unit(1, $1.element)) } / 5
    #expect(abs(result.former - former) < 1e-6 && abs(result.correlation - matched) < 1e-6)
    #expect(result.correlation >= result.former)
  }
}
