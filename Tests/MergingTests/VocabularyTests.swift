import Checkpoints
import Foundation
import Merging
import Support
import TestSupport
import Testing
import Torch

/// Models of different vocabularies: the embeddings mergekit makes of them, and the tokenizer that goes with them.
@Suite struct VocabularyTests {
  /// The models of the fixture as folders.
  private static func withModels<Result>(_ body: (Fixture, String) throws -> Result) throws -> Result {
    let fixture = try Fixture("vocabularies")
    let files: [String: String] = try fixture.setting("files")
    return try withTemporaryFolder { folder in
      for name in ["A", "B", "C"] {
        try FileManager.default.createDirectory(atPath: folder + "/" + name, withIntermediateDirectories: true)
        try Safetensors.write(fixture.part(name + "/"), to: folder + "/\(name)/model.safetensors")
      }
      for (name, text) in files { try writeAtomically(Data(text.utf8), to: folder + "/" + name) }
      return try body(fixture, folder)
    }
  }

  private static func json(_ path: String) throws -> [String: Any] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  /// The numbers of a folder's tokens.
  private static func vocabulary(_ folder: String) throws -> [String: Int] {
    let tokenizer = try json(folder + "/tokenizer.json")
    let model = try #require(tokenizer["model"] as? [String: Any])
    var result = try #require(model["vocab"] as? [String: Int])
    for entry in try #require(tokenizer["added_tokens"] as? [[String: Any]]) {
      result[try #require(entry["content"] as? String)] = entry["id"] as? Int
    }
    return result
  }

  @Test func embeddingsAreMergekits() throws {
    try Self.withModels { fixture, folder in
      let recipes: [String: String] = try fixture.setting("recipes")
      let vocabularies: [String: [String: Int]] = try fixture.setting("vocabularies")
      for (name, text) in recipes {
        let output = folder + "/out-\(name)"
        try MergePlan(Recipe(yaml: text, file: name), relativeTo: folder).write(to: output)
        let result = try Safetensors.read(output + "/model.safetensors").weights
        let expected = fixture.part(name + "/")
        let (ours, theirs) = try (Self.vocabulary(output), #require(vocabularies[name]))
        #expect(Set(ours.keys) == Set(theirs.keys), "\(name)")
        let isVocabulary = { (key: String) in key.contains("embed_tokens") || key.contains("lm_head") }
        let rest = try deviations(
          result.filter { key, _ in !isVocabulary(key) }, expected.filter { key, _ in !isVocabulary(key) },
          tolerance: 1e-6)
        #expect(rest.isEmpty, "\(name): \(rest)")
        for key in expected.names.filter(isVocabulary) {
          let (mine, peer) = try (#require(result[key]), #require(expected[key]))
          #expect(mine.shape == peer.shape, "\(name), \(key)")
          #expect(try Self.json(output + "/config.json")["vocab_size"] as? Int == mine.shape[0])
          for (token, id) in ours {
            let error = try relativeError(mine.select(0, id), peer.select(0, #require(theirs[token])))
            #expect(error < 1e-6, "\(name), \(key): \(token)")
          }
        }
      }
    }
  }

  @Test func theUnionKnowsEveryMergeAndAddedToken() throws {
    try Self.withModels { fixture, folder in
      let text = try #require(fixture.setting("recipes", [String: String].self)["union"])
      let recipe = text + "chat_template: chatml\n"
      try MergePlan(Recipe(yaml: recipe, file: "r.yml"), relativeTo: folder).write(to: folder + "/out")
      let (a, union) = try (Self.vocabulary(folder + "/A"), Self.vocabulary(folder + "/out"))
      #expect(a.allSatisfy { union[$0] == $1 } && Set(union.values).count == union.count)
      #expect(Set(union.values) == Set(0..<union.count))
      func merges(_ name: String) throws -> Set<String> {
        let model = try #require(Self.json(folder + "/\(name)/tokenizer.json")["model"] as? [String: Any])
        return Set(try #require(model["merges"] as? [Any]).map { "\($0)" })
      }
      #expect(try merges("out") == merges("A").union(merges("B")).union(merges("C")))
      let settings = try Self.json(folder + "/out/tokenizer_config.json")
      #expect((settings["chat_template"] as? String)?.contains("<|im_start|>") == true)
      #expect(
        try String(contentsOfFile: folder + "/out/chat_template.jinja", encoding: .utf8).contains("<|im_start|>"))
    }
  }

  @Test func theCommonestChatTemplateIsTaken() throws {
    try Self.withModels { _, folder in
      for (name, template) in [("A", "{{ a }}"), ("B", "{{ b }}"), ("C", "{{ b }}")] {
        try writeAtomically(Data(template.utf8), to: folder + "/\(name)/chat_template.jinja")
      }
      func merged(_ template: String, _ models: String) throws -> String {
        let text =
          "merge_method: linear\nmodels: [\(models)]\ntokenizer: {source: union}\nchat_template: \"\(template)\""
        var options = MergePlan.Options()
        options.replaces = true
        try MergePlan(Recipe(yaml: text, file: "r.yml"), relativeTo: folder).write(
          to: folder + "/out", options: options)
        return try String(contentsOfFile: folder + "/out/chat_template.jinja", encoding: .utf8)
      }
      #expect(try merged("auto", "{model: A}, {model: B}, {model: C}") == "{{ b }}")
      #expect(try merged("{{ own }}", "{model: A}, {model: B}") == "{{ own }}")
    }
  }

  /// A merge within the merge keeps its vocabulary.
  @Test func mergesWithinAMergeHaveTheirVocabulary() throws {
    try Self.withModels { _, folder in
      let text = """
        merges:
          both: {merge_method: linear, models: [{model: A}, {model: B}], tokenizer: {source: union}}
        merge_method: linear
        models: [{model: both}, {model: C}]
        tokenizer: {source: union}
        """
      let plan = try MergePlan(Recipe(yaml: text, file: "r.yml"), relativeTo: folder)
      try plan.write(to: folder + "/out")
      let names = try ["A", "B", "C"].map { Set(try Self.vocabulary(folder + "/" + $0).keys) }
      let union = try Self.vocabulary(folder + "/out")
      #expect(Set(union.keys) == names[0].union(names[1]).union(names[2]))
      let weights = try Safetensors.read(folder + "/out/model.safetensors").weights
      #expect(try #require(weights["lm_head.weight"]).shape[0] == union.count)
    }
  }

  @Test func whatCannotBeUnitedIsTold() throws {
    try Self.withModels { _, folder in
      func error(_ tokenizer: String, _ change: (String) throws -> Void = { _ in }) throws -> String {
        try change(folder)
        let text = "merge_method: linear\nmodels: [{model: A}, {model: B}]\n\(tokenizer)"
        do {
          _ = try MergePlan(Recipe(yaml: text, file: "r.yml"), relativeTo: folder)
          return ""
        } catch { return "\(error)" }
      }
      #expect(try error("").contains("their vocabularies differ, which `tokenizer: {source: union}` mends"))
      #expect(try error("tokenizer: {tokens: {none: {}}}").contains("\"none\" is no token of the result"))
      #expect(
        try error("tokenizer: {tokens: {<s>: {source: C, force: true}}}").contains("C is none of the models"))
      #expect(
        try error("tokenizer: {tokens: {<s>: {source: {kind: model_token, model: A, token_id: 9999}}}}")
          .contains("A has no token number 9999"))
      #expect(try error("tokenizer: {source: C}").contains("no model has the token"))
      #expect(try error("tokenizer: {source: nowhere}").contains("nowhere: is no file or folder"))
      let path = folder + "/B/tokenizer.json"
      let whole = try String(contentsOfFile: path, encoding: .utf8)
      for (text, words) in [
        (whole.replacingOccurrences(of: "\"BPE\"", with: "\"WordPiece\""), "have no union"),
        (String(whole.prefix(300)), "is no JSON at byte"), ("{}", "has no vocabulary"),
        (#"{"model": {"vocab": {"a": -1}}}"#, "without a text or a number"),
      ] {
        let found = try error("tokenizer: {source: union}") { _ in try writeAtomically(Data(text.utf8), to: path) }
        #expect(found.contains(words), "\(found)")
      }
      let found = try error("tokenizer: {source: union}") { _ in try FileManager.default.removeItem(atPath: path) }
      #expect(found.contains("B: has no tokenizer.json"))
      // Whatever stands in a tokenizer's file, it is read or refused.
      var state: UInt64 = 3
      for _ in 0..<200 {
        var bytes = Array(whole.utf8)
        for _ in 0..<4 {
          state = state &* 6_364_136_223_846_793_005 &+ 1
          bytes[Int(state >> 33) % bytes.count] = Array("[]{}:,\\\"0u".utf8)[Int(state >> 20) % 10]
        }
        _ = try error("tokenizer: {source: union}") { _ in try writeAtomically(Data(bytes), to: path) }
      }
    }
  }
}
