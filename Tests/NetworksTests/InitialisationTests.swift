import Foundation
import Support
import TestSupport
import Testing
import Torch
import Weights

@testable import Networks

/// How PyTorch draws each parameter: `initialisation.json`, and `initialisation-vision.json` for what timm and
/// open_clip build.
enum InitialisationOracle {
  struct Model: Decodable {
    struct Parameter: Decodable {
      let shape: [Int]
      let distribution: String
      let std: Double
      let bound: Double?
      let value: Double?
    }
    let parameters: [String: Parameter]
    let sizes: [Int]?
    let blocks: [Int]?
    let width: Int?
    let stem: String?
    let block: String?
  }

  private static func files() throws -> [Data] {
    try ["initialisation", "initialisation-vision"].map {
      try Data(contentsOf: fixtureFolder.appendingPathComponent("\($0).json"))
    }
  }

  static func models() throws -> [String: Model] {
    struct File: Decodable { let models: [String: Model] }
    return try files().reduce(into: [:]) { models, data in
      models.merge(try JSONDecoder().decode(File.self, from: data).models) { $1 }
    }
  }

  /// The parameters' names in PyTorch's order, which JSONDecoder does not keep.
  static func names(of model: String) throws -> [String] {
    let found = try files().compactMap { try JSON($0)["models"]?[model]?["parameters"]?.members }
    return try #require(found.first).map(\.name)
  }
}

@Suite struct InitialisationTests {
  static let draws = 32

  private static func draw(_ name: String, _ model: InitialisationOracle.Model, seed: UInt64) throws -> Weights {
    let generator = try Generator(seed: seed)
    if name == "layers" {
      let layers: [any Module] = [
        try Conv2d(3, 16, kernel: 3, generator: generator), try Linear(64, 32, generator: generator),
      ]
      return Weights(
        layers.enumerated().flatMap { index, layer in
          layer.parameters().map { ("\(index).\($0.name)", $0.parameter.value) }
        })
    }
    if let architecture = Oracle.architectures[name] { return try architecture(generator).weights }
    if let sizes = model.sizes {
      return try MLP(
        inputs: sizes[0], hidden: Array(sizes[1..<(sizes.count - 1)]), classes: sizes[sizes.count - 1],
        generator: generator
      ).weights
    }
    return try ResNet(
      blocks: #require(model.blocks), block: model.block == "bottleneck" ? .bottleneck : .basic,
      width: #require(model.width), stem: #require(model.stem.flatMap(Stem.init)), classes: 10,
      generator: generator
    ).weights
  }

  @Test(arguments: Oracle.names + Oracle.architectures.keys.sorted() + ["layers"])
  func parametersAreDrawnAsPyTorchDrawsThem(_ name: String) throws {
    let model = try #require(try InitialisationOracle.models()[name])
    let draws = try (0..<Self.draws).map { try Self.draw(name, model, seed: UInt64($0)) }
    #expect(Set(draws[0].names) == Set(model.parameters.keys))
    for (parameter, expected) in model.parameters {
      let all = try Tensor.stack(draws.map { try #require($0[parameter]) }).to(.float64)
      #expect(Array(all.shape.dropFirst()) == expected.shape, "\(parameter)")
      if let value = expected.value {
        #expect(try all.equals(value).all().intItem() == 1, "\(parameter)")
        continue
      }
      // Five standard errors of a sample mean and of a sample deviation, std · √((kurtosis − 1) / 4n).
      let count = Double(all.count)
      let kurtosis = expected.distribution == "normal" ? 3 : 1.8
      let values = try all.flatten()
      let deviation = try values.standardDeviation([0]).item()
      #expect(try abs(values.mean().item()) < 5 * expected.std / count.squareRoot(), "\(parameter)")
      #expect(
        abs(deviation - expected.std) < 5 * expected.std * ((kurtosis - 1) / (4 * count)).squareRoot(), "\(parameter)")
      let largest = try values.abs().max().item()
      #expect(largest <= (expected.bound ?? .infinity) * (1 + 1e-6), "\(parameter)")
      // Normal tails reach beyond the uniform distribution of the same deviation.
      #expect((largest > 2 * expected.std) == (expected.distribution == "normal"), "\(parameter)")
    }
  }

  @Test func theSeedDecidesTheNetwork() throws {
    let weights = try [1, 1, 2].map { try Oracle.network(Fixture("resnet-111"), seed: $0).weights }
    #expect(try weights[0].isIdentical(to: weights[1]))
    #expect(try !weights[0].isIdentical(to: weights[2]))
  }
}
