import Checkpoints
import Foundation
import Merging
import Support
import TestSupport
import Testing
import Torch
import Schema

@Suite struct RecipeTests {
  private static func problems(_ yaml: String) -> String {
    do {
      _ = try Recipe(yaml: yaml, file: "r.yml")
      return ""
    } catch { return "\(error)" }
  }

  static let ties = """
    merge_method: ties
    base_model: C
    models:
      - model: A
        parameters: {weight: 0.5, density: [1, 0.5]}
      - model: B
    parameters: {normalize: true, int8_mask: true}
    dtype: bfloat16
    """

  @Test func readsWhatUsersWrite() throws {
    let recipe = try Recipe(yaml: Self.ties, file: "r.yml")
    #expect(recipe.method.name == "ties" && recipe.base == Recipe.Model("C") && recipe.dtype == .bfloat16)
    let source = recipe.modules[0].slices[0].sources[0]
    #expect(source.parameters == ["weight": .number(0.5), "density": .gradient([1, 0.5])] && source.layers == nil)
    #expect(recipe.parameters == ["normalize": .number(1)])
    #expect(recipe.models.map(\.description) == ["C", "A", "B"])
    let again = try Recipe(yaml: recipe.yaml, file: "again.yml")
    #expect(again.yaml == recipe.yaml && again.modules[0].slices[0].sources[0].parameters == source.parameters)
  }

  @Test(
    arguments: [
      ("org/name", "org/name", nil, nil), ("org/name@v1", "org/name", "v1", nil),
      ("./a+./b", "./a", nil, "./b"), ("org/name@v1+org/lora@x", "org/name", "v1", "org/lora@x"),
    ] as [(String, String, String?, String?)])
  func modelsAreNamedAsInMergekit(_ text: String, _ path: String, _ revision: String?, _ lora: String?) throws {
    let recipe = try Recipe(yaml: "merge_method: linear\nmodels: [{model: \"\(text)\"}]", file: "r.yml")
    #expect(recipe.models == [Recipe.Model(path, revision: revision, lora: lora)])
  }

  @Test(arguments: [
    (
      "normalize: true", "normalise: true",
      "r.yml:7:14: parameters.normalise: is no parameter of ties; did you mean `normalize`?"
    ),
    ("weight: 0.5", "wieght: 5", "models[0].parameters.wieght: is no parameter of ties; did you mean `weight`?"),
    ("merge_method: ties", "merge_method: tise", "is \"tise\"; expected one of linear"),
    ("merge_method: ties", "merge_metod: ties", "merge_metod: is not a key here; did you mean `merge_method`?"),
    ("density: [1, 0.5]", "density: 1.5", "models[0].parameters.density: is 1.5; it must be a number within 0 … 1"),
    ("density: [1, 0.5]", "density: [1, half]", "density[1]: is half; it must be"),
    ("density: [1, 0.5]", "density: []", "is an empty list"),
    ("weight: 0.5", "lambda: 2", "is one value for all models; write it under `parameters` of the merge"),
    ("weight: 0.5", "weight: nan", "weight: is nan"),
    ("dtype: bfloat16", "dtype: bf16", "expected one of bfloat16"),
    ("dtype: bfloat16", "tokenizer: {source: union, token: {}}", "did you mean `tokens`?"),
    ("dtype: bfloat16", "tokenizer: {pad_to_multiple_of: 0}", "expected a whole number within 1 … 65536"),
    ("dtype: bfloat16", "tokenizer: {tokens: {a: {source: {kind: none}}}}", "expected one of zero, model_token"),
    ("dtype: bfloat16", "tokenizer: {tokens: {a: {source: {kind: model_token, model: A}}}}", "needs either token"),
    ("dtype: bfloat16", "tokenizer: {tokens: {a: {force: 3}}}", "force: is 3; expected true or false"),
    ("dtype: bfloat16", "tokenizer: {source: base}\ntokenizer_source: base", "stands beside tokenizer_source"),
    ("dtype: bfloat16", "chat_template: chatlm", "did you mean `chatml`?"),
    ("dtype: bfloat16", "slices: []", "has models and slices"),
    ("  - model: B", "  - path: B", "models[1].path: is not a key here"),
    ("models:", "slices:", "sources"),
    ("base_model: C", "base_model: [C]", "base_model: is a list; expected a text"),
    ("base_model: C", "base_model: {paht: C}", "did you mean `path`?"),
    ("  - model: B", "  - model: A\n    model: B", "more than once"),
    ("dtype: bfloat16", "dtype: {", "this is not YAML"),
    ("dtype: bfloat16", "normalise: 3", "did you mean `normalize`? It stands under `parameters`"),
    ("base_model: C\n", "", "r.yml:1:1: base_model: is missing; ties needs the base"),
    (
      "merge_method: ties", "merge_method: slerp",
      "r.yml:1:1: parameters.t: is missing; slerp needs it, a number: the part of the second model"
    ),
    (
      "  - model: B",
      "  - model: B\nmerges: {m: {merge_method: linear, models: [{model: n}, {model: m}]}, n: {merge_method: "
        + "linear, models: [{model: A}]}}",
      "merges.m.models[0].model: is the merge n itself or one after it"
    ),
  ])
  func mistakesAreNamedWithTheirPlace(_ old: String, _ new: String, _ message: String) {
    let text = Self.ties.replacingOccurrences(of: old, with: new)
    #expect(text != Self.ties && Self.problems(text).contains(message), "\(Self.problems(text))")
  }

  /// Recipes of every form and method as mergekit's documentation and its users have them.
  @Test(arguments: [
    "models:\n  - model: psmathur/orca_mini_v3_13b\n    parameters:\n      weight: 1.0\n  - model: "
      + "WizardLM/WizardLM-13B-V1.2\n"
      + "    parameters:\n      weight: 0.3\nmerge_method: linear\ndtype: float16",
    "models:\n  - model: a\n  - model: b\nmerge_method: slerp\nbase_model: a\nparameters:\n  t:\n    - filter: "
      + "self_attn\n"
      + "      value: [0, 0.5, 0.3, 0.7, 1]\n    - filter: mlp\n      value: [1, 0.5, 0.7, 0.3, 0]\n    - value: "
      + "0.5\ndtype: float16",
    "models:\n  - model: a\n    parameters: {density: [1, 0.7, 0.1], weight: 1.0}\n  - model: b\n    parameters:\n"
      + "      density: 0.33\n      weight:\n        - filter: mlp\n          value: 0.5\n        - value: 0\n"
      + "merge_method: ties\nbase_model: c\nparameters:\n  normalize: true\n  int8_mask: true\ndtype: float16",
    "slices:\n  - sources:\n    - model: a\n      layer_range: [0, 24]\n  - sources:\n    - model: b\n"
      + "      layer_range: [8, 32]\n    residual_weight: 0.5\nmerge_method: passthrough\ndtype: bfloat16",
    "models:\n  - model: base\n  - model: a\n    parameters: {density: 0.53, weight: 0.4}\nmerge_method: dare_ties\n"
      + "base_model: base\nparameters: {int8_mask: true}\ndtype: bfloat16\ntokenizer_source: union",
    "models: [{model: a}, {model: b}]\nbase_model: c\nmerge_method: model_stock\nparameters: {filter_wise: false}",
    "models: [{model: a, parameters: {weight: 0.3, density: 0.5, epsilon: 0.1}}]\nmerge_method: della\nbase_model: c\n"
      + "parameters: {lambda: 1.1, normalize: true}\nout_dtype: bfloat16\nchat_template: auto",
    "models: [{model: a, parameters: {weight: 1, density: 0.9, gamma: 0.01}}]\nmerge_method: "
      + "breadcrumbs_ties\nbase_model: c",
    "models: [{model: a, parameters: {weight: 0.5}}, {model: b, parameters: {weight: 0.5}}]\nmerge_method: nuslerp\n"
      + "parameters: {nuslerp_row_wise: true, nuslerp_flatten: false}",
    "models: [{model: a, parameters: {weight: [0, 1]}}, {model: b+lora/x, parameters: {weight: "
      + "1}}]\nmerge_method: multislerp",
    "models: [{model: a}, {model: b@main}]\nmerge_method: karcher\nparameters: {max_iter: 20, tol: 1e-6}",
    "models: [{model: a}, {model: b}]\nbase_model: c\nmerge_method: sce\nparameters: {select_topk: 0.1}",
    "models: [{model: a}]\nbase_model: c\nmerge_method: arcee_fusion\ntokenizer:\n  source: base\n  "
      + "pad_to_multiple_of: 32",
    "models: [{model: a}]\nbase_model: c\nmerge_method: nearswap\nparameters: {t: 0.001}",
    "merge_method: task_arithmetic\nbase_model: c\nmodels: [{model: {model: {path: a}, lora: {path: l}}, "
      + "parameters: {weight: 1}}]\n"
      + "tokenizer:\n  source: union\n  tokens:\n    <|im_start|>:\n      source: a\n    <unk>:\n      source: "
      + "{kind: zero}\n"
      + "    <|extra|>:\n      source: {kind: model_token, model: a, token: </s>}\n      force: true",
    "modules:\n  default:\n    slices:\n      - sources: [{model: a, layer_range: [0, 2]}]\nmerge_method: passthrough",
  ])
  func recipesOfTheDocumentationAreRead(_ text: String) {
    #expect(Self.problems(text).isEmpty, "\(Self.problems(text))")
  }

  @Test func mergesThatNobodyTakesAreSaid() throws {
    func notes(_ model: String) throws -> [String] {
      let merge = "merges: {m: {merge_method: linear, models: [{model: A}]}}"
      return try Recipe(yaml: "\(merge)\nmerge_method: linear\nmodels: [{model: \(model)}]", file: "r.yml").notes
    }
    #expect(try notes("A") == ["merges.m: is none of the models, so it changes nothing"])
    #expect(try notes("m").isEmpty)
  }

  @Test func slicesAreChecked() {
    func slices(_ ranges: String...) -> String {
      let sources = ranges.map { "{model: A, layer_range: \($0)}" }.joined(separator: ", ")
      return Self.problems("merge_method: linear\nslices: [{sources: [\(sources)]}]")
    }
    #expect(slices("[0, 2]", "[1, 3]").isEmpty)
    #expect(slices("[0, 2]", "[1, 4]").contains("take 2 and 3 layers"))
    for wrong in ["[2, 2]", "[3, 1]", "[0]", "[-1, 3]", "[0, 1, 2]", "4", "[a, b]"] {
      #expect(slices(wrong).contains("expected [from, to]"), "\(wrong)")
    }
    #expect(Self.problems("merge_method: linear\nslices: [{sources: [{model: A}]}]").contains("has no layer_range"))
    #expect(Self.problems("merge_method: linear").contains("has none of models, slices, modules"))
  }

  /// Whatever stands in a file, reading it ends with a recipe or a list of problems.
  @Test func damagedRecipesAreNoCrash() {
    let text = Array(
      (Self.ties + "\nmerges: {m: {merge_method: slerp, models: [], parameters: {t: [{filter: a, value: 1}]}}}\n").utf8)
    for length in stride(from: 0, to: text.count, by: 3) {
      _ = Self.problems(String(decoding: text[..<length], as: UTF8.self))
    }
    var state: UInt64 = 7
    for _ in 0..<300 {
      var bytes = text
      for _ in 0..<3 {
        state = state &* 6_364_136_223_846_793_005 &+ 1
        bytes[Int(state >> 33) % bytes.count] = Array("[]{}:-,\n &*0a\"".utf8)[Int(state >> 20) % 14]
      }
      _ = Self.problems(String(decoding: bytes, as: UTF8.self))
    }
    _ = Self.problems(String(repeating: "merges: {a: ", count: 1000))
    _ = Self.problems(String(repeating: "[", count: 100_000))
  }

  /// The models of the fixture as folders, each recipe carried out there, and its result.
  @Test func recipesGiveWhatMergekitGives() throws {
    let fixture = try Fixture("recipes")
    let recipes: [String: String] = try fixture.setting("recipes")
    try withTemporaryFolder { folder in
      for name in ["A", "B", "C", "D4", "D"] {
        try FileManager.default.createDirectory(atPath: folder + "/" + name, withIntermediateDirectories: true)
        try Safetensors.write(fixture.part(name + "/"), to: folder + "/\(name)/model.safetensors")
        let config = #"{"num_hidden_layers": \#(name == "D" ? 6 : 4), "torch_dtype": "bfloat16"}"#
        try writeAtomically(Data(config.utf8), to: folder + "/\(name)/config.json")
      }
      for (name, text) in recipes {
        let plan = try MergePlan(Recipe(yaml: text, file: name), relativeTo: folder)
        let output = folder + "/out-\(name)"
        try plan.write(to: output)
        let result = try Safetensors.read(output + "/model.safetensors").weights
        let found = try deviations(result, fixture.part(name + "/"), tolerance: 1e-6)
        #expect(found.isEmpty, "\(name): \(found)")
        let config = try String(contentsOfFile: output + "/config.json", encoding: .utf8)
        #expect(config.contains(#""torch_dtype": "float32""#))
        #expect(config.contains(name == "passthrough-repeated" ? ": 8," : ": 4,"))
        #expect(try String(contentsOfFile: output + "/recipe.yml", encoding: .utf8) == text)
      }
    }
  }
}
