import Networks
import TestSupport
import Testing
import Torch
import Weights

@testable import Alignment

@Suite struct RepairTests {
  private struct Case {
    let a, b: Weights
    let network: any Module
    let symmetry: Symmetry
    let source: Examples
  }

  private func make(_ name: String) throws -> Case {
    let random = try Generator(seed: 12)
    let networks = try (0..<2).map { _ -> any Module in
      name == "mlp"
        ? try MLP(inputs: 12, hidden: [16, 16], classes: 3, generator: random)
        : try VGG(.vgg11, batchNorm: false, width: 4, classes: 3, generator: random)
    }
    let shape = name == "mlp" ? [64, 12] : [8, 3, 32, 32]
    return Case(
      a: networks[0].weights, b: networks[1].weights, network: networks[0], symmetry: try Symmetry(of: networks[0]),
      source: try Examples(.normal(shape, generator: random), classes: 3))
  }

  /// PyTorch, layer by layer in float64, which is what BatchNorm behind every layer gives too.
  @Test(arguments: ["mlp", "vgg"], Repair.Form.allCases) func agreesWithPyTorch(_ name: String, _ form: Repair.Form)
    throws
  {
    let fixture = try Fixture("midpoints")
    let generator = try Generator(seed: 0)
    let network: any Module =
      name == "mlp"
      ? try MLP(inputs: 12, hidden: [8, 6], classes: 4, generator: generator)
      : try VGG(.vgg11, batchNorm: false, width: 1, classes: 4, generator: generator)
    let input = try name == "mlp" ? fixture["mlp/input"] : Fixture("vgg11")["input"]
    let repaired = try Repair(form: form).point(
      of: fixture.part("\(name)/a/"), fixture.part("\(name)/b/"), at: fixture.setting("alpha"), Symmetry(of: network),
      of: network, on: Examples(input, classes: 4))
    let found = try deviations(repaired, fixture.part("\(name)/\(form.rawValue)/"), tolerance: 1e-5)
    #expect(found.isEmpty, "\(found)")
  }

  /// Mean and deviation of each unit before its activation function.
  private func moments(_ item: Case, at weights: Weights, _ layer: String) throws -> (mean: Tensor, deviation: Tensor) {
    try item.network.load(weights)
    var rows: Tensor?
    try item.network.observing([layer]) { seen in
      let last = try seen.output.rank == 4 ? seen.output.permute([0, 2, 3, 1]) : seen.output
      rows = try last.reshape([-1, last.shape[last.rank - 1]]).to(.float64)
    } during: {
      _ = try withoutGradients { try item.network(item.source.inputs, .evaluation) }
    }
    let found = try #require(rows)
    return (try found.mean([0]), try found.variance([0], correction: 0).sqrt())
  }

  @Test(arguments: [("mlp", ["layers.0", "layers.1"]), ("vgg", ["features.0", "features.3", "features.18"])])
  func unitsGetTheMixOfMeansAndDeviations(_ name: String, _ layers: [String]) throws {
    let item = try make(name)
    let repaired = try Repair(batchSize: 64).point(
      of: item.a, item.b, at: 0.25, item.symmetry, of: item.network, on: item.source)
    for layer in layers {
      let (a, b) = (try moments(item, at: item.a, layer), try moments(item, at: item.b, layer))
      let found = try moments(item, at: repaired, layer)
      let (mean, deviation) = (
        try a.mean * 0.75 + b.mean * 0.25, try a.deviation * 0.75 + b.deviation * 0.25
      )
      let error = try (found.mean - mean).abs().max().item()
      #expect(try error < 1e-3 * deviation.max().item(), "\(layer)")
      #expect(try relativeError(found.deviation, deviation) < 1e-2, "\(layer)")
    }
    // Without repair they vary less.
    let plain = try moments(item, at: item.a.interpolated(to: item.b, at: 0.25), layers[0])
    let a = try moments(item, at: item.a, layers[0])
    #expect(try plain.deviation.mean().item() < 0.95 * a.deviation.mean().item())
  }

  @Test func theClosedFormIsExactWhereTheInputIsShared() throws {
    let item = try make("mlp")
    let closed = try Repair(form: .closed).point(
      of: item.a, item.b, item.symmetry, of: item.network, on: item.source)
    let measured = try Repair().point(of: item.a, item.b, item.symmetry, of: item.network, on: item.source)
    for name in ["layers.0.weight", "layers.0.bias"] {
      let (ours, theirs) = (try #require(closed[name]), try #require(measured[name]))
      #expect(try relativeError(ours, theirs) < 1e-3, "\(name)")
    }
    #expect(try #require(closed["layers.2.weight"]).isIdentical(to: #require(measured["layers.2.weight"])))
  }

  @Test func ofTwiceTheSameNothingChanges() throws {
    let item = try make("mlp")
    for form in Repair.Form.allCases {
      let same = try Repair(form: form).point(of: item.a, item.a, item.symmetry, of: item.network, on: item.source)
      #expect(try deviations(same, item.a, tolerance: 1e-2).isEmpty)
    }
  }

  @Test func batchNormIsLeftToItself() throws {
    let small = try SmallNetwork(.resnet, dtype: .float32)
    let weights = small.network.weights
    let error = #expect(throws: AlignmentError.self) {
      try Repair().point(
        of: weights, weights, small.symmetry, of: small.network, on: Examples(small.input, classes: 3))
    }
    #expect(error?.description.contains("measure BatchNorm's statistics anew instead") == true)
  }
}
