import Checkpoints
import Foundation
import Merging
import Support
import TestSupport
import Testing
import Torch
import Weights

/// What lies beside the weights of a result.
@Suite struct ModelFolderTests {
  /// Folders `a` and `b` with three layers and these files.
  private static func withFolders<Result>(
    a: [String: String] = [:], b: [String: String] = [:], _ body: (String) throws -> Result
  ) throws -> Result {
    try withTemporaryFolder { folder in
      for (name, files) in [("a", a), ("b", b)] {
        let path = folder + "/" + name
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let weights = try Weights((0..<3).map { ("model.layers.\($0).w", try Tensor.ones([2])) })
        try Safetensors.write(weights, to: path + "/model.safetensors")
        for (file, text) in files { try writeAtomically(Data(text.utf8), to: path + "/" + file) }
      }
      return try body(folder)
    }
  }

  private static func plan(_ text: String, _ folder: String) throws -> MergePlan {
    try MergePlan(Recipe(yaml: text, file: "r.yml"), relativeTo: folder)
  }

  private static let stacked = """
    merge_method: passthrough
    slices: [{sources: [{model: a, layer_range: [0, 2]}]}, {sources: [{model: b, layer_range: [1, 3]}]}]
    """

  /// The layers of vision stay; what is said of each layer follows it.
  @Test(arguments: [
    (
      #"{"num_hidden_layers": 3, "hidden_size": 3}"#, #"{"num_hidden_layers": 4, "hidden_size": 3}"#
    ),
    (
      #"{"text_config": {"num_hidden_layers": 3}, "vision_config": {"num_hidden_layers": 3}}"#,
      #"{"text_config": {"num_hidden_layers": 4}, "vision_config": {"num_hidden_layers": 3}}"#
    ),
    (
      #"{"num_hidden_layers": 3, "vision_config": {"num_hidden_layers": 7}}"#,
      #"{"num_hidden_layers": 4, "vision_config": {"num_hidden_layers": 7}}"#
    ),
    (#"{"vision_config": {"num_hidden_layers": 3}}"#, #"{"vision_config": {"num_hidden_layers": 3}}"#),
    (
      #"{"num_hidden_layers": 3, "layer_types": ["full", "slide", "none"]}"#,
      #"{"num_hidden_layers": 4, "layer_types": ["full", "slide", "slide", "none"]}"#
    ),
  ])
  func theConfigurationCountsTheLayersOfTheWords(_ config: String, _ expected: String) throws {
    try Self.withFolders(a: ["config.json": config]) { folder in
      try Self.plan(Self.stacked, folder).write(to: folder + "/out")
      func json(_ text: String) throws -> NSDictionary {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary)
      }
      let written = try String(contentsOfFile: folder + "/out/config.json", encoding: .utf8)
      #expect(try json(written) == json(expected), "\(written)")
    }
  }

  private static let linear = "merge_method: linear\nmodels: [{model: a}, {model: b}]\n"

  private static let tokenizer =
    #"{"added_tokens": [], "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}"#

  @Test func aMissingTokenizerIsSaidBeforehand() throws {
    try Self.withFolders(b: ["tokenizer.json": Self.tokenizer]) { folder in
      let notes = try Self.plan(Self.linear, folder).notes
      #expect(notes == ["a has no tokenizer, so the result gets none; tokenizer_source: b takes that one's"])
      #expect { try Self.plan(Self.linear + "tokenizer_source: base", folder) } throws: {
        "\($0)".contains("/a: has no tokenizer, which the recipe asks for")
      }
      #expect(try Self.plan(Self.linear + "tokenizer_source: b", folder).notes.isEmpty)
    }
    let notes = try Self.withFolders { try Self.plan(Self.linear, $0).notes }
    #expect(notes.isEmpty)
  }

  @Test func withoutAChatTemplateThereIsNoneToChoose() throws {
    let tokenizer = ["tokenizer.json": Self.tokenizer, "tokenizer_config.json": "{}"]
    try Self.withFolders(a: tokenizer) { folder in
      let plan = try Self.plan(Self.linear + "chat_template: auto", folder)
      #expect(plan.notes == ["chat_template: auto: none of the models has a chat template, so the result gets none"])
      try plan.write(to: folder + "/out")
      #expect(FileManager.default.fileExists(atPath: folder + "/out/tokenizer_config.json"))
      #expect(!FileManager.default.fileExists(atPath: folder + "/out/chat_template.jinja"))
    }
  }

  /// A merge killed between the renames that replace a folder leaves the old one under another name.
  @Test func whatWasToBeReplacedComesBack() throws {
    try Self.withFolders { folder in
      let plan = try Self.plan(Self.linear, folder)
      let names = { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }
      for (name, isBack) in [(".out.999999999.tmp.old", true), (".b.999999999.tmp.old", false)] {
        try FileManager.default.copyItem(atPath: folder + "/a", toPath: folder + "/" + name)
        let target = isBack ? "/out" : "/b"
        var options = MergePlan.Options()
        options.replaces = true
        #expect(throws: CancellationError.self) {
          try plan.write(to: folder + target, options: options, isCancelled: { true })
        }
        #expect(try names() == ["a", "b", "out"])
      }
    }
  }
}
