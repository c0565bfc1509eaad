import Checkpoints
import Foundation
import Merging
import Support
import Synchronization
import TestSupport
import Testing
import Torch
import Weights

@Suite struct MergeEngineTests {
  /// Larger than a chunk, with an odd size, and small; in several types.
  private static func model(_ seed: UInt64, dtype: DType = .bfloat16) throws -> Weights {
    let generator = try Generator(seed: seed)
    return try Weights([
      ("embed.weight", Tensor.normal([301, 67], generator: generator).to(dtype)),
      ("layers.0.weight", Tensor.normal([5, 7], generator: generator).to(dtype)),
      ("layers.1.weight", Tensor.normal([5, 7], generator: generator).to(dtype)),
      ("norm.weight", Tensor.normal([13], generator: generator).to(dtype)),
      ("steps", Tensor([Int64(seed), 4], shape: [2])), ("empty", Tensor.zeros([0, 3], dtype: .float32)),
    ])
  }

  /// Models 1, 2 and 3 and base 9 as files of a folder.
  private static func withModels<Result>(_ body: (String, [Recipe.Source], Recipe.Model) throws -> Result) throws
    -> Result
  {
    try withTemporaryFolder { folder in
      for seed in [1, 2, 3, 9] as [UInt64] {
        try Safetensors.write(model(seed), to: folder + "/\(seed).safetensors")
      }
      return try body(
        folder, [1, 2, 3].map { Recipe.Source(Recipe.Model("\($0).safetensors")) }, Recipe.Model("9.safetensors"))
    }
  }

  private static func names(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  /// Tests run in the package's folder, which has one that holds no weights.
  @Test func aFolderWithoutWeightsHidesNoModel() throws {
    let hiding = try #require(
      FileManager.default.contentsOfDirectory(atPath: ".").sorted().first {
        ((try? Self.names($0)) ?? []).contains("MergingTests")
      })
    try Self.withModels { folder, sources, _ in
      try FileManager.default.createDirectory(atPath: folder + "/" + hiding, withIntermediateDirectories: false)
      try Safetensors.write(Self.model(1), to: folder + "/" + hiding + "/model.safetensors")
      let recipe = try Recipe(.linear, [Recipe.Source(Recipe.Model(hiding)), #require(sources.last)])
      try MergePlan(recipe, relativeTo: folder).write(to: folder + "/out")
      #expect(try Self.names(folder + "/out").contains("model.safetensors"))
    }
  }

  /// Streamed from files by any number of threads into any number of shards: what merging in memory gives, bit for bit.
  @Test func filesGiveWhatMemoryGives() throws {
    let (models, base) = try ([1, 2, 3].map { try Self.model($0) }, Self.model(9))
    try Self.withModels { folder, sources, baseModel in
      for method in MergeMethod.all {
        let count = method.maximumModels ?? 3
        let values = method.parameters.contains { $0.name == "density" } ? ["density": [0.4]] : [:]
        let given = values.merging(method.parameters.contains { $0.name == "t" } ? ["t": [0.3]] : [:]) { $1 }
        let settings = try MergeSettings(given, for: method, models: count)
        let start = method.base == .none ? nil : base
        let expected = try merge(Array(models.prefix(count)), base: start, method: method, settings: settings, seed: 4)
        let recipe = Recipe(
          method, Array(sources.prefix(count)), base: start == nil ? nil : baseModel,
          parameters: given.mapValues { .number($0[0]) })
        let plan = try MergePlan(recipe, relativeTo: folder, seed: 4)
        for (threads, size) in [(1, 5_000_000_000), (3, 20_000)] {
          var options = MergePlan.Options()
          (options.threads, options.shardSize, options.verifies, options.replaces) = (threads, size, true, true)
          let output = folder + "/out"
          try plan.write(to: output, options: options)
          var result = Weights()
          for name in try Self.names(output) where name.hasSuffix(".safetensors") {
            let shard = try Safetensors.read(output + "/" + name).weights
            for (name, tensor) in shard { result[name] = tensor }
          }
          let ordered = Weights(expected.names.compactMap { name in result[name].map { (name, $0) } })
          #expect(try ordered.isIdentical(to: expected), "\(method.name), \(threads) threads")
          #expect(try Self.names(output).contains("model.safetensors.index.json") == (size == 20_000))
        }
      }
    }
  }

  @Test func theFolderIsThatOfAModel() throws {
    try Self.withModels { folder, sources, base in
      let donor = folder + "/donor"
      try FileManager.default.createDirectory(atPath: donor, withIntermediateDirectories: true)
      try Safetensors.write(Self.model(9), to: donor + "/model.safetensors")
      for (name, text) in [
        ("config.json", "{\"torch_dtype\": \"float32\", \"num_hidden_layers\": 2}\n"), ("tokenizer.json", "{}"),
        ("generation_config.json", "{\"a\": 1}"), ("secret.txt", "no"),
      ] { try writeAtomically(Data(text.utf8), to: donor + "/" + name) }
      let recipe = Recipe(try .named("ties"), sources, base: Recipe.Model("donor"))
      let plan = try MergePlan(recipe, relativeTo: folder)
      var options = MergePlan.Options()
      options.shardSize = 30_000
      options.verifies = true
      try plan.write(to: folder + "/out", options: options)
      #expect(
        try Self.names(folder + "/out") == [
          "README.md", "config.json", "generation_config.json", "model-00001-of-00002.safetensors",
          "model-00002-of-00002.safetensors", "model.safetensors.index.json", "tokenizer.json",
        ])
      #expect(
        try String(contentsOfFile: folder + "/out/config.json", encoding: .utf8)
          == "{\"torch_dtype\": \"bfloat16\", \"num_hidden_layers\": 2}\n")
      let card = try String(contentsOfFile: folder + "/out/README.md", encoding: .utf8)
      #expect(card.hasPrefix("---\nbase_model:\n") && card.contains("`ties`") && card.contains("## SHA-256"))
      for name in try Self.names(folder + "/out") {
        let mode = try FileManager.default.attributesOfItem(atPath: folder + "/out/" + name)[.posixPermissions] as? Int
        #expect(mode == 0o644, "\(name)")
      }
      // The result is a model in turn.
      let again = try MergePlan(Recipe(.linear, [Recipe.Source(Recipe.Model(folder + "/out"))]))
      #expect(again.tensors.count == 6 && again.byteCount == plan.byteCount)
    }
  }

  /// A merge of merges is not rounded between, and gives what its parts give one after the other.
  @Test func mergesWithinAMerge() throws {
    try withTemporaryFolder { folder in
      let models = try [1, 2, 3, 9].map { try Self.model($0, dtype: .float32) }
      for (seed, model) in zip([1, 2, 3, 9], models) {
        try Safetensors.write(model, to: folder + "/\(seed).safetensors")
      }
      let text = """
        merges:
          half:
            merge_method: linear
            models: [{model: 1.safetensors}, {model: 2.safetensors, parameters: {weight: 3}}]
          moved:
            merge_method: task_arithmetic
            base_model: 9.safetensors
            models: [{model: half}]
            parameters: {lambda: 0.5}
        merge_method: ties
        base_model: 9.safetensors
        models: [{model: moved}, {model: 3.safetensors}]
        parameters: {density: 0.5}
        """
      func run(_ name: String, _ models: [Weights], base: Weights?, _ values: [String: [Double]]) throws -> Weights {
        let method = try MergeMethod.named(name)
        return try merge(
          models, base: base, method: method, settings: MergeSettings(values, for: method, models: models.count))
      }
      let half = try run("linear", [models[0], models[1]], base: nil, ["weight": [1, 3]])
      let moved = try run("task_arithmetic", [half], base: models[3], ["lambda": [0.5]])
      let expected = try run("ties", [moved, models[2]], base: models[3], ["density": [0.5]]).floating
      try MergePlan(Recipe(yaml: text, file: "r.yml"), relativeTo: folder).write(to: folder + "/out.safetensors")
      let result = try Safetensors.read(folder + "/out.safetensors").weights.floating
      #expect(try result.isIdentical(to: expected))
    }
  }

  @Test func whatDoesNotFitIsListed() throws {
    try Self.withModels { folder, sources, base in
      func error(_ change: (inout Weights) throws -> Void, _ missing: Recipe.MissingTensors = .error) throws -> String {
        var other = try Self.model(2)
        try change(&other)
        try Safetensors.write(other, to: folder + "/2.safetensors")
        var recipe = Recipe(try .named("ties"), sources, base: base)
        recipe.missingTensors = missing
        do {
          let plan = try MergePlan(recipe, relativeTo: folder)
          return "\(plan.tensors.count)"
        } catch { return "\(error)" }
      }
      let misfit = try error { $0["norm.weight"] = try Tensor.zeros([14]) }
      #expect(misfit.contains("norm.weight: is [13] in 1.safetensors and [14] in 2.safetensors"))
      let lacking = try error { $0 = $0.filter { name, _ in !name.hasPrefix("layers.1") } }
      #expect(lacking.contains("layers.1.weight: is missing in 2.safetensors; missing_tensors: copy or drop"))
      let deeper = try error { $0["layers.2.weight"] = try Tensor.zeros([5, 7]).to(.bfloat16) }
      #expect(deeper.contains("layers.2.weight: is missing in"))
      for (missing, count) in [(.drop, "5"), (.copy, "6")] as [(Recipe.MissingTensors, String)] {
        let planned = try error({ $0 = $0.filter { name, _ in name != "norm.weight" } }, missing)
        #expect(planned == count)
      }
      let absent = #expect(throws: FileError.self) {
        try MergePlan(Recipe(.linear, [Recipe.Source(Recipe.Model("none"))]))
      }
      #expect("\(try #require(absent))" == "none: is no file or folder")
      let baseless = #expect(throws: MergeError.self) {
        try MergePlan(Recipe(try .named("ties"), sources), relativeTo: folder)
      }
      #expect("\(try #require(baseless))".contains("ties needs the base"))
    }
  }

  @Test func nothingIsLeftOfAMergeThatFails() throws {
    try Self.withModels { folder, sources, base in
      let before = try Self.names(folder)
      var bad = try Self.model(2)
      bad["norm.weight"] = try Tensor.full([13], .infinity).to(.bfloat16)
      try Safetensors.write(bad, to: folder + "/2.safetensors")
      let plan = try MergePlan(Recipe(.linear, sources), relativeTo: folder)
      for output in ["/out", "/out.safetensors"] {
        #expect {
          try plan.write(to: folder + output)
        } throws: { "\($0)".contains("norm.weight would have NaN") && "\($0)".contains("2.safetensors: norm.weight") }
        #expect(try Self.names(folder) == before)
      }
      #expect(throws: CancellationError.self) { try plan.write(to: folder + "/out", isCancelled: { true }) }
      #expect(try Self.names(folder) == before)
      // What is there stays unless it is to be replaced, and what is no model stays anyway.
      let present = #expect(throws: FileError.self) { try plan.write(to: folder + "/1.safetensors") }
      #expect("\(try #require(present))".hasSuffix("1.safetensors: exists; add --force to replace it"))
      var options = MergePlan.Options()
      options.replaces = true
      try FileManager.default.createDirectory(atPath: folder + "/mine", withIntermediateDirectories: true)
      try writeAtomically(Data("x".utf8), to: folder + "/mine/thesis.txt")
      let foreign = #expect(throws: FileError.self) { try plan.write(to: folder + "/mine", options: options) }
      #expect("\(try #require(foreign))".hasSuffix("mine: exists and is no merged model; it is not replaced"))
      let homeless = #expect(throws: FileError.self) { try plan.write(to: folder + "/none/out") }
      #expect("\(try #require(homeless))".contains("/none does not exist"))
      #expect(try Self.names(folder + "/mine") == ["thesis.txt"])
    }
  }

  /// Chunks of whole rows may end at any byte; what is written is summed up in words.
  @Test func rowsOfAnyLengthAreVerified() throws {
    try withTemporaryFolder { folder in
      let models = try [1, 2, 9].map { seed in
        try Weights([("weight", Tensor.normal([60_000, 11], generator: Generator(seed: seed)).to(.bfloat16))])
      }
      for (index, model) in models.enumerated() { try Safetensors.write(model, to: folder + "/\(index).safetensors") }
      let names = (0..<3).map { Recipe.Model("\(folder)/\($0).safetensors") }
      let recipe = Recipe(
        try .named("model_stock"), names.prefix(2).map { Recipe.Source($0) }, base: names[2],
        parameters: ["filter_wise": .number(1)])
      var options = MergePlan.Options()
      options.verifies = true
      try MergePlan(recipe).write(to: folder + "/out.safetensors", options: options)
      let settings = try MergeSettings(["filter_wise": [1]], for: recipe.method, models: 2)
      let expected = try merge(Array(models.prefix(2)), base: models[2], method: recipe.method, settings: settings)
      #expect(try Safetensors.read(folder + "/out.safetensors").weights.isIdentical(to: expected))
    }
  }

  @Test func twentyModels() throws {
    try Self.withModels { folder, sources, base in
      let many = (0..<20).map { sources[$0 % 3] }
      try MergePlan(Recipe(try .named("karcher"), many), relativeTo: folder).write(to: folder + "/out")
      #expect(try Self.names(folder).contains("out"))
    }
  }

  /// W + alpha / r · B A, in PEFT's files, as an input like any other.
  @Test func adaptersAreAddedToTheirModel() throws {
    try Self.withModels { folder, _, _ in
      let generator = try Generator(seed: 8)
      let (a, b) = try (Tensor.normal([2, 7], generator: generator), Tensor.normal([5, 2], generator: generator))
      let norm = try Tensor.normal([13], generator: generator)
      try FileManager.default.createDirectory(atPath: folder + "/lora", withIntermediateDirectories: true)
      func write(_ config: String, _ a: Tensor) throws {
        try writeAtomically(Data(config.utf8), to: folder + "/lora/adapter_config.json")
        try Safetensors.write(
          Weights([
            ("base_model.model.layers.1.lora_A.weight", a), ("base_model.model.layers.1.lora_B.weight", b),
            ("base_model.model.norm.weight", norm),
          ]), to: folder + "/lora/adapter_model.safetensors")
      }
      let yaml = "merge_method: linear\nmodels: [{model: 1.safetensors+lora}]\ndtype: float32\n"
      func merged() throws -> Weights {
        let plan = try MergePlan(Recipe(yaml: yaml, file: "r.yml"), relativeTo: folder)
        var options = MergePlan.Options()
        options.replaces = true
        try plan.write(to: folder + "/out.safetensors", options: options)
        return try Safetensors.read(folder + "/out.safetensors").weights
      }
      try write(#"{"peft_type": "LORA", "r": 2, "lora_alpha": 6}"#, a)
      let weights = try Self.model(1).to(.float32)
      let expected = try weights.mapTensors { name, tensor in
        switch name {
        case "layers.1.weight": try tensor + b.matmul(a) * 3.0
        case "norm.weight": norm
        default: tensor
        }
      }
      #expect(try deviations(merged().floating, expected.floating, tolerance: 1e-7).isEmpty)
      try write(#"{"peft_type": "LORA", "r": 2, "lora_alpha": 6, "use_rslora": true, "alpha_pattern": {"1": 2}}"#, a)
      let layer = try #require(merged()["layers.1.weight"])
      let scaled = try #require(weights["layers.1.weight"]) + b.matmul(a) * 2.0.squareRoot()
      #expect(try relativeError(layer, scaled) < 1e-6)

      for (config, matrix, words) in [
        (#"{"peft_type": "LOHA", "r": 2}"#, a, "no plain LoRA"), ("{}", a, "needs the rank r"),
        (#"{"r": 2}"#, try Tensor.zeros([3, 7]), "expected [r, in] and [out, r]"),
        (#"{"r": 2}"#, try Tensor.zeros([2, 9]), "is [5, 7], and the adapter's change [5, 9]"),
      ] {
        try write(config, matrix)
        #expect {
          _ = try merged()
        } throws: { "\($0)".contains(words) }
      }
    }
  }
}
