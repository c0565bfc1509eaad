import Foundation
import Testing
import Torch

@testable import Networks

@Suite struct ArchitectureTests {
  @Test func aNetworkOfOneFileIsBuiltToldAndChecked() throws {
    let architecture = Architecture(name: .gatedMLP, width: 8)
    let input = InputShape.picture(channels: 1, height: 2, width: 3)
    let network = try architecture.makeNetwork(input: input, classes: 4, generator: Generator(seed: 1))
    #expect(try network(.ones([5, 1, 2, 3]), .evaluation).shape == [5, 4])
    #expect(architecture.summary == "Gated MLP, width 8" && architecture.usualInput == .picture(height: 32, width: 32))
    let shapes = Dictionary(uniqueKeysWithValues: network.weights.map { ($0.name, $0.tensor.shape) })
    let guess = try #require(Architecture.Name.gatedMLP.declaration.guess(TensorShapes(shapes)))
    #expect(guess.architecture == architecture && guess.classes == 4)
    #expect(try Symmetry(of: network).groups == [UnitGroup(name: "up", count: 8)])
    let error = #expect(throws: TorchError.self) {
      try Architecture(name: .gatedMLP, width: 0, heads: 2)
        .makeNetwork(input: input, classes: 0, generator: Generator(seed: 1))
    }
    for words in [
      "gated_mlp", "width is 0; expected a whole number between 1 and 4096", "0 classes; expected 1 or more",
      "heads cannot be chosen for gated_mlp; leave it out; it has `width`",
    ] { #expect(error?.description.contains(words) == true, "\(words)") }
  }

  @Test func whatAFileLeavesOutHasItsUsualValue() throws {
    let data = Data(#"{"name": "vit", "depth": 1}"#.utf8)
    let architecture = try JSONDecoder().decode(Architecture.self, from: data)
    #expect(architecture.width == nil)
    let network = try architecture.makeNetwork(
      input: .picture(height: 8, width: 8), classes: 3, generator: Generator(seed: 0))
    #expect((network as? VisionTransformer)?.blocks.count == 1)
    #expect(network.weights["pos_embed"]?.shape == [1, 5, 64])
  }

  @Test func namesAreReadAsTheyAreWritten() throws {
    for name in Architecture.Name.allCases { #expect(Architecture.Name(rawValue: name.rawValue) == name) }
    #expect(Set(Architecture.Name.allCases).count == 19)
    #expect(Architecture.Name(rawValue: "gated_mlp") == nil)
    let error = #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(Architecture.self, from: Data(#"{"name": "resnet19"}"#.utf8))
    }
    #expect("\(error as Any)".contains("resnet19"))
  }

  /// What a network is built from and does not have is never made up.
  @Test func whatIsMissingIsSaid() throws {
    let mlp = Architecture(name: .mlp, depth: 2)
    for (option, words) in [
      (Architecture.Option.width, "width has no value"), (.depth, "depth is 2, which is no value of it"),
    ] {
      let error = #expect(throws: TorchError.self) { try mlp.value(option, \.text) }
      #expect(error?.description.contains("mlp") == true && error?.description.contains(words) == true)
    }
    let error = #expect(throws: TorchError.self) {
      try Architecture(name: .clip, activation: .gelu).value(.activation, as: Stem.self)
    }
    #expect(error?.description.contains("activation is gelu, which is none of its names") == true)
    let pictures = #expect(throws: TorchError.self) { try InputShape.picture(height: 2, width: 2).context() }
    #expect(pictures?.description.contains("is 3×2×2 pixels; expected tokens") == true)
    let tokens = #expect(throws: TorchError.self) { try InputShape.tokens(vocabulary: 5, context: 2).picture() }
    #expect(tokens?.description.contains("is 2 of 5 tokens; expected pictures") == true)
  }
}
