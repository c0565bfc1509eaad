import Checkpoints
import Foundation
import Merging
import TestSupport
import Testing
import Torch
import Weights

/// Nothing that an input has is left out without a word, however the recipe puts the network together.
@Suite struct MergePlacesTests {
  private static func model(_ names: [String]) throws -> Weights {
    Weights(try names.map { ($0, try Tensor.full([2], 1)) })
  }

  private static let plain = ["embed.w", "layers.0.w", "layers.1.w", "norm.w", "head.w"]

  /// What planning a recipe of `a` and `b` says: the result's tensors and the notes, or the error.
  private static func plan(_ recipe: String, _ a: [String], _ b: [String]) throws -> String {
    try withTemporaryFolder { folder in
      try Safetensors.write(model(a), to: folder + "/a.safetensors")
      try Safetensors.write(model(b), to: folder + "/b.safetensors")
      do {
        let text = recipe.replacing("A,", with: "a.safetensors,").replacing("B,", with: "b.safetensors,")
        let plan = try MergePlan(Recipe(yaml: text, file: "r.yml"), relativeTo: folder)
        return (plan.tensors.map(\.name) + plan.notes).joined(separator: " ")
      } catch { return "\(error)" }
    }
  }

  private static let slices = """
    merge_method: linear
    slices:
      - sources: [{model: A, layer_range: [0, 2]}, {model: B, layer_range: [0, 2]}]
    """

  @Test func whatOnlyLaterSourcesOfASliceHaveIsNotLost() throws {
    let more = Self.plain + ["layers.1.bias", "scale"]
    #expect(try Self.plan(Self.slices, Self.plain, Self.plain) == Self.plain.joined(separator: " "))
    for (a, b, lacking) in [(Self.plain, more, "a"), (more, Self.plain, "b")] {
      let error = try Self.plan(Self.slices, a, b)
      #expect(error.contains("layers.1.bias: is missing in \(lacking).safetensors; missing_tensors"), "\(error)")
      #expect(error.contains("scale: is missing in \(lacking).safetensors"), "\(error)")
      let copied = try Self.plan(Self.slices + "\nmissing_tensors: copy", a, b)
      #expect(copied.contains("layers.1.bias ") && copied.contains("copy takes from one model what not all have"))
      let dropped = try Self.plan(Self.slices + "\nmissing_tensors: drop", a, b)
      #expect(
        dropped == Self.plain.joined(separator: " ")
          + " missing_tensors: drop leaves out what not all have: layers.1.bias, scale")
    }
  }

  @Test func whatNeitherEndOfTheNetworkHasIsNotLost() throws {
    let stacked = """
      merge_method: passthrough
      slices:
        - sources: [{model: A, layer_range: [0, 2]}]
        - sources: [{model: B, layer_range: [0, 2]}]
      """
    let headless = Self.plain.filter { $0 != "head.w" }
    let result = "embed.w layers.0.w layers.1.w layers.2.w layers.3.w norm.w"
    #expect(try Self.plan(stacked, headless, headless) == result)
    #expect(
      try Self.plan(stacked, Self.plain, headless).contains("head.w: is missing in b.safetensors, the last slice"))
    let copied = try Self.plan(stacked + "\nmissing_tensors: copy", Self.plain, headless)
    #expect(copied.hasPrefix(result + " head.w"), "\(copied)")
  }

  @Test func modulesCoverTheNetwork() throws {
    func modules(_ other: String, _ rest: String = "") -> String {
      """
      merge_method: linear
      modules:
        text: {models: [{model: A, parameters: {weight: 1}}, {model: B, parameters: {weight: 1}}]}
        \(other): {models: [{model: A, parameters: {weight: 1}}, {model: B, parameters: {weight: 2}}]}
      \(rest)
      """
    }
    let names = ["text.layers.0.w", "vision.layers.0.w", "vision.layers.1.w"]
    #expect(try Self.plan(modules("vision"), names, names) == names.joined(separator: " "))
    let more = names + ["projector.w"]
    #expect(try Self.plan(modules("vision"), more, more).contains("projector.w: belongs to none of the modules"))
    #expect(try Self.plan(modules("vision", "missing_tensors: copy"), more, more).contains("projector.w "))
    #expect(try Self.plan(modules("visoin"), names, names).contains("modules.visoin: no tensor has visoin"))
  }

  /// Each module counts its own layers.
  @Test func modulesHaveLayersOfTheirOwn() throws {
    let names = ["text.layers.0.w", "text.layers.1.w", "text.layers.2.w", "vision.layers.0.w", "vision.layers.1.w"]
    let recipe = """
      merge_method: passthrough
      modules:
        text: {slices: [{sources: [{model: A, layer_range: [0, 1]}]}, {sources: [{model: B, layer_range: [2, 3]}]}]}
        vision: {slices: [{sources: [{model: B, layer_range: [0, 2]}]}]}
      """
    #expect(
      try Self.plan(recipe, names, names) == "text.layers.0.w text.layers.1.w vision.layers.0.w vision.layers.1.w")
    let tooMany = recipe.replacing("[0, 2]", with: "[0, 3]")
    #expect(try Self.plan(tooMany, names, names).contains("b.safetensors has 2 layers in vision; layer_range [0, 3]"))
  }

  @Test func modelsOfDifferentDepthAreCalledThat() throws {
    let recipe =
      "merge_method: linear\nmodels: [{model: A, parameters: {weight: 1}}, {model: B, parameters: {weight: 1}}]"
    let error = try Self.plan(recipe, Self.plain, Self.plain + ["layers.2.w"])
    #expect(error.contains("(a.safetensors has 2 layers, b.safetensors has 3 layers)"), "\(error)")
  }

  @Test func filtersThatFitNoTensorAreSaid() throws {
    func notes(_ filter: String) throws -> String {
      let weight = "parameters: {weight: [{filter: \(filter), value: 0.3}, {value: 1}]}"
      return try Self.plan("merge_method: linear\nmodels: [{model: A, \(weight)}]", Self.plain, Self.plain)
    }
    #expect(try notes("layers.1") == Self.plain.joined(separator: " "))
    #expect(try notes("layres").hasSuffix(" filter layres: no tensor has this in its name"))
  }

  @Test func aPathMayHaveAPlusAndAnAt() throws {
    try withTemporaryFolder { folder in
      for name in ["a+b.safetensors", "c@2.safetensors"] {
        try Safetensors.write(Self.model(Self.plain), to: folder + "/" + name)
      }
      func plan(_ model: String) throws -> Int {
        let text = "merge_method: linear\nmodels: [{model: \(model)}]"
        return try MergePlan(Recipe(yaml: text, file: "r.yml"), relativeTo: folder).tensors.count
      }
      #expect(try plan("a+b.safetensors") == 5)
      #expect(try plan("c@2.safetensors") == 5)
      #expect { try plan("c@2.safetensors@main") } throws: { "\($0)".contains("leave out @main") }
    }
  }
}
