import Foundation
import TestSupport
import Testing
import Torch

@testable import Networks

@Suite struct LayerTableTests {
  struct Counted: Decodable, Sendable { let parameters, multiplyAdds: Int }
  struct File: Decodable { let networks: [String: Counted] }

  static let networks: [(String, Counted)] = {
    let data = try? Data(contentsOf: fixtureFolder.appendingPathComponent("flops.json"))
    let file = data.flatMap { try? JSONDecoder().decode(File.self, from: $0) }
    return (file?.networks ?? [:]).sorted { $0.key < $1.key }
  }()

  /// The keys are a network's name and its settings.
  @Test(arguments: networks)
  func parametersAndMultiplyAddsAreTheLibraries(_ key: String, _ expected: Counted) throws {
    let words = key.split(separator: " ").map(String.init)
    var settings: [String: String] = [:]
    for word in words.dropFirst() {
      let parts = word.split(separator: "=").map(String.init)
      settings[parts[0]] = parts[1]
    }
    // Until the language model has its name, its numbers wait in the fixture.
    guard let name = Architecture.Name(rawValue: words[0]) else { return }
    var architecture = Architecture(name: name)
    for option in [Architecture.Option.stem, .head] {
      if let value = settings[option.rawValue] { architecture[option] = .text(value) }
    }
    let classes = settings["classes"].flatMap(Int.init) ?? 1000
    let size = settings["size"].flatMap(Int.init) ?? 32
    let input: InputShape =
      settings["context"].flatMap(Int.init).map { .tokens(vocabulary: classes, context: $0) }
      ?? .picture(height: size, width: size)
    let network = try architecture.makeNetwork(input: input, classes: classes, generator: Generator(seed: 0))
    let table = try LayerTable(network, input: input)
    // Only the class token of the last block is read, so ours spares the others' queries, products and MLP; the library
    // does not.
    let spared = name == .vitSmall16 ? 196 * (10 * 384 * 384 + 2 * 197 * 384) : 0
    #expect(table.parameters == expected.parameters)
    #expect(table.multiplyAdds == expected.multiplyAdds - spared)
    #expect(Set(table.layers.map(\.name)).count == table.layers.count)
  }

  @Test func theFixtureIsThere() { #expect(Self.networks.count >= 8) }

  @Test func layersStandInTheirOrderWithTheirShapes() throws {
    let input = InputShape.picture(height: 8, width: 8)
    let network = try Architecture(name: .vit, width: 8, depth: 2, heads: 2)
      .makeNetwork(input: input, classes: 3, generator: Generator(seed: 0))
    let layers = try LayerTable(network, input: input).layers
    #expect(
      layers.map(\.name).filter { !$0.hasPrefix("blocks.1") } == [
        "patch_embed.proj", "cls_token", "pos_embed", "blocks.0.norm1", "blocks.0.attn.qkv",
        "blocks.0.attn.(attention)",
        "blocks.0.attn.proj", "blocks.0.norm2", "blocks.0.mlp.fc1", "blocks.0.mlp.fc2", "norm", "head",
      ])
    #expect(layers[4].output == [5, 24] && layers[4].multiplyAdds == 5 * 24 * 8 && layers[4].parameters == 24 * 9)
    // Two heads of four channels, five tokens each way, twice.
    #expect(layers[5].multiplyAdds == 2 * 2 * 5 * 5 * 4)
    #expect(layers.last?.output == [3])
  }
}
