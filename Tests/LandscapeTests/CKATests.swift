import Networks
import TestSupport
import Testing
import Torch
import Weights

@testable import Landscape

@Suite struct CKATests {
  /// The same features with their columns in another order.
  static func shuffled(_ features: Tensor) throws -> Tensor {
    try features.indexSelect(1, .permutation(features.shape[1], generator: Generator(seed: 9)))
  }

  @Test(arguments: [true, false]) func criterionIsTheGramFormula(_ usesGrams: Bool) throws {
    let fixture = try Fixture("measures")
    let (x, y) = (try fixture["cka/x"][0..<8], try fixture["cka/y"][0..<8])
    let value = try Representations([x], usesGrams: usesGrams)
      .criteria(with: Representations([y], usesGrams: usesGrams), [(0, 0)])[0]
    let expected = try fixture["cka/hsic"].item()
    #expect(abs(value - expected) < 1e-4 * abs(expected))
  }

  @Test(arguments: [true, false]) func batchesAreAddedUpBeforeTheyAreDivided(_ usesGrams: Bool) throws {
    let fixture = try Fixture("measures")
    var sums = (0.0, 0.0, 0.0)
    for start in stride(from: 0, to: 160, by: 8) {
      let x = try Representations([fixture["cka/x"][start..<(start + 8)]], usesGrams: usesGrams)
      let y = try Representations([fixture["cka/y"][start..<(start + 8)]], usesGrams: usesGrams)
      sums.0 += try x.criteria(with: y, [(0, 0)])[0]
      sums.1 += try x.criteria(with: x, [(0, 0)])[0]
      sums.2 += try y.criteria(with: y, [(0, 0)])[0]
    }
    let value = sums.0 / (sums.1 * sums.2).squareRoot()
    #expect(try abs(value - fixture["cka/batches"].item()) < 1e-4)
    // The biased estimator's average over the same batches is far off the value over all examples; this one is not.
    let (whole, biased) = (try fixture["cka/whole"].item(), try fixture["cka/biased"].item())
    #expect(abs(value - whole) < 0.02 && biased - whole > 0.08)
  }

  @Test(arguments: ["mlp", "resnet"]) func penultimateLayersAreNumpys(_ prefix: String) throws {
    let samples = try MeasureSamples(prefix)
    let found = try CKA(
      of: samples.network, at: samples.weights("a"), samples.weights("b"), layers: [CKA.penultimate],
      on: samples.examples, batchSize: 8)
    #expect(try abs(found.diagonal[0].value - samples.values("cka")[0]) < 1e-4)
  }

  @Test func aNetworkIsLikeItself() throws {
    let samples = try MeasureSamples("resnet")
    let a = samples.weights("a")
    let layers = samples.network.observableModules.filter { !$0.isEmpty }
    let found = try CKA(
      of: samples.network, at: a, a, layers: layers, allPairs: true, on: samples.examples, batchSize: 12)
    #expect(found.diagonal.count == layers.count)
    for (layer, value) in found.diagonal { #expect(abs(value - 1) < 1e-4, "\(layer)") }
    let row = layers.firstIndex(of: "layer1.0.conv1") ?? 0
    let column = layers.firstIndex(of: "fc") ?? 0
    let (there, back) = (try #require(found.values[row][column]), try #require(found.values[column][row]))
    #expect(abs(there - back) < 1e-4 && there < 0.999)
  }

  @Test func theOrderOfFeaturesDoesNotMatter() throws {
    let fixture = try Fixture("measures")
    let (x, y) = (try fixture["cka/x"], try fixture["cka/y"])
    for usesGrams in [true, false] {
      let own = try Representations([x], usesGrams: usesGrams)
      let plain = try own.criteria(with: Representations([y], usesGrams: usesGrams), [(0, 0)])[0]
      let moved = try own.criteria(with: Representations([Self.shuffled(y)], usesGrams: usesGrams), [(0, 0)])[0]
      #expect(abs(plain - moved) < 1e-4 * abs(plain))
    }
  }

  @Test func badInputIsRefused() throws {
    let samples = try MeasureSamples("mlp")
    let a = samples.weights("a")
    func cka(_ layer: String, at point: Weights, batchSize: Int = 8) throws -> CKA {
      try CKA(of: samples.network, at: point, point, layers: [layer], on: samples.examples, batchSize: batchSize)
    }
    let unknown = #expect(throws: TorchError.self) { try cka("layers.7", at: a) }
    #expect(unknown?.description.contains("no module is called 'layers.7'; there are , layers.0,") == true)
    var error = #expect(throws: LandscapeError.self) { try cka("layers.0", at: a, batchSize: 3) }
    #expect(error?.description.contains("in batches of 3: the unbiased estimator needs 4 or more") == true)
    // A layer of zeros gives every example the same.
    let zero = try a.mapTensors { _, tensor in try tensor.zerosLike() }
    error = #expect(throws: LandscapeError.self) { try cka("layers.0", at: zero) }
    #expect(error?.description.contains("layers.0 of the first network gives the same for every example") == true)
  }
}
