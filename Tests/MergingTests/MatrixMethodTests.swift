import Checkpoints
import Foundation
import Merging
import TestSupport
import Testing
import Torch
import Weights

/// What must hold of the methods that decompose matrices or look at a whole model.
@Suite struct MatrixMethodTests {
  private static let names = ["tsv_m", "iso_c", "iso_cts", "wudi", "doge"]

  private static func model(_ seed: UInt64, like base: Weights? = nil, rank: Int = 4) throws -> Weights {
    let generator = try Generator(seed: seed)
    return try Weights([
      (
        "weight",
        Tensor.normal([9, rank], generator: generator).matmul(Tensor.normal([rank, 6], generator: generator))
      ),
      ("conv", Tensor.normal([5, 2, 3, 3], generator: generator)),
      ("bias", Tensor.normal([9], generator: generator)),
    ])
  }

  private static func merged(_ name: String, _ models: [Weights], _ base: Weights, _ values: [String: [Double]] = [:])
    throws -> Weights
  {
    let method = try MergeMethod.named(name)
    return try merge(
      models, base: base, method: method, settings: MergeSettings(values, for: method, models: models.count))
  }

  @Test(arguments: names + ["magmax", "ties"]) func lambdaZeroIsTheBase(_ name: String) throws {
    let base = try Self.model(9)
    let merged = try Self.merged(name, [Self.model(1), Self.model(2)], base, ["lambda": [0]])
    #expect(try merged.isIdentical(to: base))
  }

  @Test func modelsThatAreTheBaseGiveTheBase() throws {
    let base = try Self.model(9)
    for name in Self.names { #expect(try Self.merged(name, [base, base], base).isIdentical(to: base), "\(name)") }
  }

  /// Models of the same weights share all directions: half of them each is half of them.
  @Test func identicalModelsStayThemselves() throws {
    let (base, model) = try (Self.model(9), Self.model(1))
    for name in ["magmax", "expo", "ties"] {
      let values: [String: [Double]] = name == "expo" ? ["alpha": [0]] : [:]
      let merged = try Self.merged(name, [model, model, model], base, values)
      #expect(try deviations(merged, model, tolerance: 1e-6).isEmpty, "\(name)")
    }
    // A task vector of rank 3 of 6 fits in either half.
    var narrow = base
    let generator = try Generator(seed: 4)
    narrow["weight"] =
      try #require(base["weight"])
      + Tensor.normal([9, 3], generator: generator).matmul(Tensor.normal([3, 6], generator: generator))
    let merged = try Self.merged("tsv_m", [narrow, narrow], base).select("weight")
    #expect(try deviations(merged, narrow.select("weight"), tolerance: 1e-6).isEmpty)
  }

  @Test func isotropicMeansEqualSingularValues() throws {
    let (base, models) = try (Self.model(9), [Self.model(1), Self.model(2)])
    for name in ["iso_c", "iso_cts"] {
      let merged = try Self.merged(name, models, base)
      let delta = try #require(merged["conv"]) - #require(base["conv"])
      let values = try delta.reshape([5, 18]).singularValues().array(Double.self)
      #expect(values.allSatisfy { abs($0 / values[0] - 1) < 1e-5 }, "\(name): \(values)")
    }
  }

  /// Trimming the whole model keeps a tensor of large changes and drops one of small ones, in any order of the tensors.
  @Test func modelScopeTrimsTensorsTogether() throws {
    let zero = try Weights([("a", .zeros([3])), ("b", .zeros([3]))])
    let model = try Weights([("a", Tensor([10, -20, 30] as [Float])), ("b", Tensor([1, -2, 10] as [Float]))])
    let values = ["density": [0.5], "scope": [1.0]]
    let merged = try Self.merged("ties", [model], zero, values)
    // Three of six, and what equals the third.
    #expect(try merged["a"]?.array(Float.self) == [10, -20, 30])
    #expect(try merged["b"]?.array(Float.self) == [0, 0, 10])
    let tensor = try Self.merged("ties", [model], zero, ["density": [0.5]])
    #expect(try tensor["b"]?.array(Float.self) == [0, 0, 10] && tensor["a"]?.array(Float.self) == [0, 0, 30])
    #expect(try Self.merged("ties", [model], zero, ["density": [0], "scope": [1]]).isIdentical(to: zero))
    #expect(try Self.merged("ties", [model], zero, ["density": [1], "scope": [1]]).isIdentical(to: model))
  }

  /// The engine gives the same bytes for any number of threads, and the same as merging in memory.
  @Test func threadsDoNotChangeResults() throws {
    try withTemporaryFolder { folder in
      let (base, models) = try (Self.model(9), [Self.model(1), Self.model(2)])
      for (name, weights) in zip(["base", "a", "b"], [base] + models) {
        try Safetensors.write(weights, to: "\(folder)/\(name).safetensors")
      }
      for name in Self.names + ["ties", "magmax"] {
        let method = try MergeMethod.named(name)
        let values: [String: [Double]] = name == "ties" ? ["scope": [1], "density": [0.3]] : [:]
        let sources = ["a", "b"].map { Recipe.Source(Recipe.Model("\(folder)/\($0).safetensors")) }
        let recipe = Recipe(
          method, sources, base: Recipe.Model("\(folder)/base.safetensors"),
          parameters: values.mapValues { .number($0[0]) })
        var results: [Weights] = []
        for threads in [1, 3] {
          var options = MergePlan.Options()
          (options.threads, options.replaces) = (threads, true)
          try MergePlan(recipe).write(to: "\(folder)/out.safetensors", options: options)
          results.append(try Safetensors.read("\(folder)/out.safetensors").weights.clone())
        }
        #expect(try results[0].isIdentical(to: results[1]), "\(name)")
        #expect(try results[0].isIdentical(to: Self.merged(name, models, base, values)), "\(name)")
      }
    }
  }

  @Test func scopeIsAWord() throws {
    let settings = try MergeSettings(texts: ["scope": "model"], for: MergeMethod.named("ties"), models: 2)
    #expect(try settings.number("scope") == 1)
    #expect {
      _ = try MergeSettings(texts: ["scope": "layer"], for: MergeMethod.named("ties"), models: 2)
    } throws: { String(describing: $0).contains("it must be tensor or model") }
    let recipe = try Recipe(
      yaml: "merge_method: ties\nbase_model: c\nmodels: [{model: a}]\nparameters: {scope: model}", file: "r.yml")
    #expect(recipe.parameters["scope"] == .number(1))
    #expect(Recipe(recipe.method, [], parameters: recipe.parameters).yaml.contains("scope: model"))
  }
}
