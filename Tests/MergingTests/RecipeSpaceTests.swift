import Checkpoints
import Foundation
import Search
import TestSupport
import Testing
import Torch
import Weights

@testable import Merging

@Suite struct RecipeSpaceTests {
  private static let text = """
    # three things to find
    merge_method: {choices: [ties, task_arithmetic]}
    base_model: c
    models:
      - {model: dir/a.safetensors, parameters: {weight: {from: 0, to: 1.5}, density: [1, {from: 0.1, to: 1}]}}
      - model: b
        parameters:
          weight:
            - {filter: "mlp, attn", value: {from: 0.001, to: 1, scale: log}}
            - {value: 0.5}
    parameters: {normalize: {choices: [true, false]}}
    dtype: float32

    """

  private func problems(_ text: String) -> String {
    do {
      _ = try RecipeSpace(yaml: text, file: "r.yml")
      return ""
    } catch { return "\(error)" }
  }

  @Test func rangesAreFoundWhereTheyStand() throws {
    let space = try RecipeSpace(yaml: Self.text, file: "r.yml")
    #expect(
      space.space.dimensions == [
        .choice("merge_method", of: 2), .number("a weight", from: 0, to: 1.5),
        .number("a density 2", from: 0.1, to: 1),
        .number("b weight mlp, attn", from: 0.001, to: 1, scale: .log), .choice("normalize", of: 2),
      ])
    let point = [0, 0.3, 0.123456789, 0.00001, 1]
    #expect(space.values(at: point).map(\.value) == ["ties", "0.3", "0.12346", "1.0e-05", "false"])
    let recipe = try space.recipe(at: [0, 0.3, 0.123456789, 0.25, 1])
    #expect(recipe.method.name == "ties" && recipe.parameters == ["normalize": .number(0)])
    let sources = recipe.modules[0].slices[0].sources
    #expect(sources[0].parameters == ["weight": .number(0.3), "density": .gradient([1, 0.12346])])
    // task_arithmetic has no density.
    let other = try space.recipe(at: [1, 0.3, 0.1, 0.25, 0])
    #expect(other.method.name == "task_arithmetic")
    #expect(other.modules[0].slices[0].sources[0].parameters == ["weight": .number(0.3)])
  }

  /// What is written for `valley merge` means what was searched.
  @Test func theWrittenRecipeReadsBack() throws {
    let space = try RecipeSpace(yaml: Self.text, file: "r.yml")
    let point = [0, 0.75, 0.5, 0.25, 1]
    let written = space.yaml(at: point) { $0 == "b" ? "/else where/b: x" : $0 }
    let again = try Recipe(yaml: written, file: "best.yml")
    let direct = try space.recipe(at: point)
    #expect(again.base == Recipe.Model("c") && again.dtype == .float32)
    let (ours, theirs) = (again.modules[0].slices[0].sources, direct.modules[0].slices[0].sources)
    #expect(ours.map(\.model.path) == ["dir/a.safetensors", "/else where/b: x"])
    #expect(ours.map(\.parameters) == theirs.map(\.parameters) && again.parameters == direct.parameters)
  }

  @Test func mistakesAreToldWithTheirPlace() {
    func replacing(_ old: String, _ new: String) -> String {
      problems(Self.text.replacingOccurrences(of: old, with: new))
    }
    #expect(
      problems("merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}]").contains("nothing to search"))
    #expect(problems("merge_method: linaer\nmodels: [{model: a}]").contains("did you mean `linear`?"))
    #expect(replacing("to: 1.5", "to: -1").contains("r.yml:5:") && replacing("to: 1.5", "to: -1").contains("is empty"))
    #expect(replacing("from: 0.1, to: 1", "from: 0.5, to: 1.5").contains("it must be a number within"))
    #expect(replacing("scale: log", "scael: log").contains("did you mean `scale`?"))
    #expect(replacing("scale: log", "scale: lgo").contains("expected linear or log"))
    #expect(replacing("from: 0.001", "from: 0").contains("lie above 0"))
    #expect(replacing("from: 0, to: 1.5", "from: 0").contains("has no to"))
    #expect(replacing("from: 0, to: 1.5", "from: low, to: 1.5").contains("expected a number"))
    #expect(replacing("choices: [true, false]", "from: 0, to: 1").contains("has no order"))
    #expect(replacing("choices: [true, false]", "choices: [true]").contains("two or more different values"))
    #expect(replacing("choices: [true, false]", "choices: [true, maybe]").contains("is maybe"))
    #expect(replacing("[ties, task_arithmetic]", "[ties, task_arithmatic]").contains("task_arithmetic"))
    #expect(replacing("density: [1", "destiny: [1").contains("is no parameter of ties"))
    #expect(problems("- 1").contains("expected a mapping"))
    #expect(problems("a: [").contains("this is not YAML"))
  }

  /// Damaged recipes are refused or read, and nothing crashes.
  @Test func damagedRecipesAreBorne() {
    let bytes = Array(Self.text.utf8)
    var state: UInt64 = 7
    for _ in 0..<300 {
      var damaged = bytes
      for _ in 0..<3 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let place = Int((state >> 33) % UInt64(damaged.count))
        if state & 1 == 0 { damaged.remove(at: place) } else { damaged[place] = UInt8(32 + (state >> 40) % 90) }
      }
      if let space = try? RecipeSpace(yaml: String(decoding: damaged, as: UTF8.self), file: "r.yml") {
        _ = space.yaml(at: space.space.dimensions.map(\.middle))
      }
    }
  }

  @Test func mergedInMemoryIsWhatAFileWouldHold() throws {
    let scratch = try Scratch()
    let generator = try Generator(seed: 3)
    for name in ["a", "b", "base"] {
      try Safetensors.write(
        Weights([
          ("w", Tensor.normal([40, 50], generator: generator).to(.bfloat16)),
          ("n", Tensor.normal([7], generator: generator)),
        ]), to: scratch.path("\(name).safetensors"))
    }
    let space = try RecipeSpace(
      yaml: """
        merge_method: ties
        base_model: base.safetensors
        models: [{model: a.safetensors}, {model: b.safetensors}]
        parameters: {density: {from: 0.1, to: 1}}
        """, file: scratch.path("r.yml"))
    let models = try MergeModels(space.recipe(at: [0.3]), relativeTo: scratch.folder.path)
    for density in [0.3, 0.8] {
      let plan = try MergePlan(space.recipe(at: [density]), models: models)
      try plan.write(to: scratch.path("out-\(density).safetensors"))
      let written = try Safetensors.read(scratch.path("out-\(density).safetensors")).weights
      #expect(try plan.merged(threads: 2).isIdentical(to: written))
    }
  }
}
