import Checkpoints
import Foundation
import Support
import Torch

/// What belongs to a model besides its weights: configuration, tokenizer, and a card that says how it was made.
struct ModelFolder {
  static let single = "model.safetensors"
  static let index = "model.safetensors.index.json"

  private let plan: MergePlan

  init(_ plan: MergePlan) { self.plan = plan }

  private static let otherFiles = ["generation_config.json", "preprocessor_config.json", "processor_config.json"]

  /// Adds the files to a folder that has the weights.
  func complete(_ folder: String, files: [String], listsChecksums: Bool) throws {
    let manager = FileManager.default
    if let donor = plan.configuration, manager.fileExists(atPath: donor + "/config.json") {
      let text = try String(contentsOfFile: donor + "/config.json", encoding: .utf8)
      try writeAtomically(Data(configuration(text).utf8), to: folder + "/config.json")
    }
    let changed = try changedTokenizer()
    // Files in other forms would name the tokens that there were before.
    let copied = changed[TokenizerFiles.tokenizer] == nil ? TokenizerFiles.all : TokenizerFiles.texts
    for (name, data) in changed { try writeAtomically(data, to: folder + "/" + name) }
    for (donor, names) in [
      (plan.tokenizer, copied.filter { changed[$0] == nil }), (plan.configuration, Self.otherFiles),
    ] {
      for name in names {
        guard let donor, manager.fileExists(atPath: donor + "/" + name) else { continue }
        let data = try Data(contentsOf: URL(fileURLWithPath: donor + "/" + name))
        try writeAtomically(data, to: folder + "/" + name)
      }
    }
    if let text = plan.recipe.text { try writeAtomically(Data(text.utf8), to: folder + "/recipe.yml") }
    let sums = listsChecksums ? try checksums(folder, files) : []
    try writeAtomically(Data(card(sums).utf8), to: folder + "/README.md")
  }

  /// The tokenizer's files that are not copied as they are: those of a union, and those with another chat template.
  private func changedTokenizer() throws -> [String: Data] {
    var files: [String: Data] = [:]
    var settings: JSON?
    if let vocabulary = plan.vocabulary, plan.recipe.tokenizer?.source == .union {
      files[TokenizerFiles.tokenizer] = vocabulary.target.document.data()
      settings = try vocabulary.target.configuration()
    } else if let donor = plan.tokenizer {
      let path = donor + "/tokenizer_config.json"
      if FileManager.default.fileExists(atPath: path) { settings = try JSON(file: path) }
    }
    var folders: [String] = []
    for input in plan.inputs where !folders.contains(input.path) { folders.append(input.path) }
    if let text = plan.recipe.chatTemplate.flatMap({ $0 == "auto" ? ChatTemplate.commonest(folders) : $0 }) {
      settings = settings ?? .object([])
      settings?["chat_template"] = .text(text)
      // The library reads this file first.
      files["chat_template.jinja"] = Data(text.utf8)
      files["tokenizer_config.json"] = settings?.data()
    } else if files[TokenizerFiles.tokenizer] != nil {
      files["tokenizer_config.json"] = settings?.data()
    }
    return files
  }

  /// The donor's configuration with the result's type and number of layers. All else stays to the letter.
  private func configuration(_ text: String) -> String {
    var result = MergedConfiguration(text)
    var sizes: [DType: Int] = [:]
    for tensor in plan.tensors where tensor.dtype.isFloatingPoint { sizes[tensor.dtype, default: 0] += tensor.count }
    // A few tensors may be kept in another type.
    if let type = sizes.max(by: { $0.value < $1.value })?.key { result.setType(type) }
    if let rows = plan.vocabularyRows { result.setVocabulary(rows) }
    if let order = plan.layerOrder { result.setLayers(order) }
    return result.text
  }

  private func checksums(_ folder: String, _ files: [String]) throws -> [(name: String, sha256: String)] {
    var sums: [(String, String)] = []
    for file in files { sums.append((file, try Digest.of(file: folder + "/" + file).hexadecimal)) }
    for input in plan.inputs {
      var isDirectory: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: input.path, isDirectory: &isDirectory)
      guard isDirectory.boolValue else {
        sums.append(("\(input.model)", try Digest.of(file: input.path).hexadecimal))
        continue
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: input.path).sorted()
      for name in names where name.hasSuffix(".safetensors") {
        sums.append(("\(input.model)/\(name)", try Digest.of(file: input.path + "/" + name).hexadecimal))
      }
    }
    return sums
  }

  /// The model card, with the front matter that Hugging Face reads.
  private func card(_ checksums: [(name: String, sha256: String)]) -> String {
    let recipe = plan.recipe
    let base = recipe.base.map { " from the base `\($0)`" } ?? ""
    var lines = ["---", "base_model:"]
    lines += plan.inputs.map { "- \(JSON.quoted($0.model.description))" }
    lines += [
      "library_name: transformers", "tags:", "- merge", "- valley", "---", "",
      "# A merge of \(plan.inputs.count) models", "",
      "Made by Valley with the method `\(recipe.method.name)`\(base): \(recipe.method.summary)"
        + (recipe.method.source.map { " ([source](\($0)))." } ?? "."),
      "", "## Models", "",
    ]
    lines += plan.inputs.map { "- `\($0.model)`" }
    lines += [
      "", "\(plan.tensors.count) tensors, \(plan.elementCount) numbers, \(byteText(plan.byteCount)).", "",
      "W₀ is the base, Wᵢ a model, wᵢ its weight, δᵢ = Wᵢ − W₀ its task vector.", "",
    ]
    if let text = recipe.text {
      lines += ["## Recipe", "", "```yaml", text.trimmingCharacters(in: .newlines), "```", ""]
    }
    if !checksums.isEmpty {
      lines += ["## SHA-256", "", "| file | SHA-256 |", "| --- | --- |"]
      lines += checksums.map { "| `\($0.name)` | `\($0.sha256)` |" } + [""]
    }
    return lines.joined(separator: "\n")
  }
}
