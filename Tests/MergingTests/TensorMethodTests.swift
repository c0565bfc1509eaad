import Checkpoints
import TestSupport
import Testing
import Torch
import Weights

@testable import Merging

/// Methods that are written over plain tensors, ours and a stranger's.
@Suite struct TensorMethodTests {
  /// The median of the models, element by element, moved toward the base.
  private static func median(_ traits: MergeMethod.Traits) -> MergeMethod {
    MergeMethod(
      "median", "W₀ + λ (median Wᵢ − W₀)", base: .required, models: 2...,
      parameters: [.number("lambda", from: 0, to: 1, default: 1, "how much of the way")], traits: traits
    ) { models, base, settings in
      guard let base else { throw MergeError("the base is missing") }
      let sorted = try Tensor.stack(models).sorted(0).values
      return try base + (sorted[models.count / 2] - base) * settings.number("lambda")
    }
  }

  /// Longer than a piece.
  private static func model(_ seed: UInt64, _ dtype: DType = .bfloat16) throws -> Weights {
    let generator = try Generator(seed: seed)
    return try Weights([
      ("matrix", Tensor.normal([301, 251], generator: generator).to(dtype)),
      ("vector", Tensor.normal([7], generator: generator).to(dtype)),
      ("steps", Tensor([Int64(seed)], shape: [])), ("empty", Tensor.zeros([0, 3], dtype: dtype)),
    ])
  }

  @Test func aStrangersMethodMerges() throws {
    let (models, base) = try ((1...3).map { try Self.model($0) }, Self.model(9))
    let method = Self.median(.elementwise)
    let settings = try MergeSettings(["lambda": [0.25]], for: method, models: 3)
    let merged = try merge(models, base: base, method: method, settings: settings)
    let wide = try models.map { try #require($0["matrix"]).to(.float32) }
    let start = try #require(base["matrix"]).to(.float32)
    let expected = try start + (Tensor.stack(wide).sorted(0).values[1] - start) * 0.25
    #expect(try #require(merged["matrix"]).isIdentical(to: expected.to(.bfloat16)))
    // Integers are averaged.
    #expect(try #require(merged["steps"]).intItem() == 2)
    // In pieces or whole, it is the same.
    let whole = try merge(models, base: base, method: Self.median([]), settings: settings)
    #expect(try whole.isIdentical(to: merged))
    #expect(method.alpha == MergeMethod.Alpha(.scale, of: "lambda", symbol: "λ"))
  }

  @Test func aRecipeTakesAStrangersMethod() throws {
    let (models, base) = try ((1...3).map { try Self.model($0) }, Self.model(9))
    try withTemporaryFolder { folder in
      for (index, weights) in (models + [base]).enumerated() {
        try Safetensors.write(weights, to: folder + "/\(index).safetensors")
      }
      let yaml = """
        merge_method: median
        base_model: 3.safetensors
        models: [{model: 0.safetensors}, {model: 1.safetensors}, {model: 2.safetensors}]
        parameters: {lambda: 0.5}
        """
      for traits in [[], .elementwise] as [MergeMethod.Traits] {
        let method = Self.median(traits)
        let recipe = try Recipe(yaml: yaml, file: "r.yml", methods: MergeMethod.all + [method])
        let plan = try MergePlan(recipe, relativeTo: folder)
        var options = MergePlan.Options()
        (options.threads, options.replaces, options.verifies) = (3, true, true)
        try plan.write(to: folder + "/out.safetensors", options: options)
        let settings = try MergeSettings(["lambda": [0.5]], for: method, models: 3)
        let expected = try merge(models, base: base, method: method, settings: settings)
        let result = try Safetensors.read(folder + "/out.safetensors").weights
        #expect(try result.isIdentical(to: expected))
        #expect(try plan.merged().isIdentical(to: expected))
      }
      let range = yaml.replacing("lambda: 0.5", with: "lambda: {from: 0, to: 1}")
      let space = try RecipeSpace(yaml: range, file: "r.yml", methods: [Self.median([])])
      #expect(try space.recipe(at: [0.5]).parameters == ["lambda": .number(0.5)])
    }
  }

  @Test func whatItGivesMustFit() throws {
    let models = try (1...2).map { try Self.model($0) }
    for traits in [[], .elementwise] as [MergeMethod.Traits] {
      let method = MergeMethod("first_row", "W₁[0]", base: .none, models: 1..., traits: traits) { models, _, _ in
        try models[0].flatten()[0..<1]
      }
      let error = #expect(throws: MergeError.self) {
        try merge(models, method: method, settings: MergeSettings(for: method, models: 2))
      }
      #expect("\(try #require(error))".contains("matrix: first_row gave [1] float32 for inputs of shape ["))
    }
  }

  /// To the bit what plain loops give, in float32.
  @Test func elementwiseMethodsAreTheirFormulas() throws {
    let values: [[Float]] = try ([1, 2, 3] as [UInt64]).map { seed in
      var values = try Tensor.normal([70_001], generator: Generator(seed: seed)).array(Float.self)
      values.replaceSubrange(0..<6, with: [0, -0.0, .leastNonzeroMagnitude, 1e30, -1e30, Float(seed)])
      return values
    }
    func result(_ name: String, _ given: [String: [Double]], models: Int) throws -> [UInt32] {
      let weights = try values.map { try Weights([("w", Tensor($0))]) }
      let method = try MergeMethod.named(name)
      let settings = try MergeSettings(given, for: method, models: models)
      let merged = try merge(Array(weights.prefix(models)), base: weights[2], method: method, settings: settings)
      return try #require(merged["w"]).array(Float.self).map(\.bitPattern)
    }
    func expected(_ element: (_ models: [Float], _ base: Float) -> Float) -> [UInt32] {
      values[0].indices.map { element([values[0][$0], values[1][$0]], values[2][$0]).bitPattern }
    }
    let lambda: Float = 0.7
    #expect(
      try result("magmax", ["lambda": [0.7]], models: 2)
        == expected { models, base in
          let (a, b) = (models[0] - base, models[1] - base)
          return base + (abs(b) >= abs(a) ? b : a) * lambda
        })
    let factor = Float((1 + 0.3) / 2.0)
    #expect(
      try result("expo", ["alpha": [0.3]], models: 2)
        == expected { models, base in base + (models[0] - base) * factor + (models[1] - base) * factor })
    #expect(
      try result("nearswap", ["t": [0.4]], models: 1)
        == expected { models, base in
          let weight = min(1, max(0, Float(0.4) / max(abs(base - models[0]), 1e-6)))
          return weight * models[0] + (1 - weight) * base
        })
  }

  #if DEBUG
    /// Two vectors in one slot would share memory unnoticed.
    @Test func aVectorEndsWhenItsSlotIsTakenAgain() async {
      await #expect(processExitsWith: .failure) {
        let chunks = Chunks(count: 8, kernels: Vector.kernels(wide: false), workspace: Workspace())
        let first = chunks.vector(.score, 8)
        chunks.vector(.score, 8).clear()
        first.clear()
      }
    }
  #endif
}
