import Foundation
import Support
import Torch
import Schema

/// A merge as it is declared: mergekit's YAML (its keys and their meaning are mergekit 0.1.5's), or the same made in code.
public struct Recipe: Sendable {
  /// A network's files: a folder in Hugging Face's layout, a safetensors file, a name in the Hugging Face cache, or an earlier merge of the
  /// same recipe.
  public struct Model: Sendable, Hashable, CustomStringConvertible {
    public var path: String
    public var revision: String?
    /// An adapter to add to the weights.
    public var lora: String?

    public init(_ path: String, revision: String? = nil, lora: String? = nil) {
      (self.path, self.revision, self.lora) = (path, revision, lora)
    }

    /// As recipes and the command line spell it: `path[@revision][+adapter[@revision]]`.
    public init(spelled text: String) {
      self.init(text)
      if let plus = path.lastIndex(of: "+"), plus > path.startIndex, path.index(after: plus) < path.endIndex {
        lora = String(path[path.index(after: plus)...])
        path = String(path[..<plus])
      }
      if let at = path.lastIndex(of: "@"), at > path.startIndex, !path[at...].contains("/") {
        revision = String(path[path.index(after: at)...])
        path = String(path[..<at])
      }
    }

    public var description: String { path + (revision.map { "@\($0)" } ?? "") + (lora.map { "+\($0)" } ?? "") }
  }

  /// A parameter's value: one number (a flag is 1 or 0), a gradient over the layers, or a choice by the tensor's name.
  public indirect enum Value: Sendable, Hashable {
    case number(Double)
    case gradient([Double])
    case choice([Choice])

    public struct Choice: Sendable, Hashable {
      /// A part of the tensor's name; nil or `*` is any.
      public var filter: String?
      public var value: Value
    }

    /// The value for a tensor at depth `t` (0 is the first layer of its slice, 1 the last), or nil where no filter fits.
    func resolved(_ tensor: String, at t: Double, isDiscrete: Bool) -> Double? {
      switch self {
      case .number(let number): return number
      case .gradient(let values):
        guard let last = values.indices.last else { return nil }
        let place = t * Double(last)
        if isDiscrete { return values[Int(place)] }
        let index = min(Int(place), last)
        let part = place - Double(index)
        return (1 - part) * values[index] + part * values[min(last, index + 1)]
      case .choice(let choices):
        let found = choices.first { $0.filter == nil || $0.filter == "*" || tensor.contains($0.filter ?? "") }
        return found?.value.resolved(tensor, at: t, isDiscrete: isDiscrete)
      }
    }
  }

  public typealias Parameters = [String: Value]

  /// One input of a slice.
  public struct Source: Sendable {
    public var model: Model
    /// nil: all layers.
    public var layers: Range<Int>?
    public var parameters: Parameters

    public init(_ model: Model, layers: Range<Int>? = nil, parameters: Parameters = [:]) {
      (self.model, self.layers, self.parameters) = (model, layers, parameters)
    }
  }

  /// Consecutive layers of the result, made of as many layers of each source.
  public struct Slice: Sendable {
    public var sources: [Source]
    public var base: Model?
    public var parameters: Parameters = [:]
  }

  /// A part of the network with layers of its own.
  public struct Module: Sendable {
    /// A component of its tensors' names; nil for the whole network.
    public var name: String?
    public var slices: [Slice]
    public var parameters: Parameters = [:]
  }

  /// What to do with tensors that only some of the inputs have.
  public enum MissingTensors: String, Sendable, CaseIterable {
    /// Refuse the merge, with a list.
    case error
    /// Copy it from the first model that has it.
    case copy
    /// Leave it out.
    case drop
  }

  /// The vocabulary of the result, and whose rows its embeddings have.
  public struct Tokenizer: Sendable {
    public enum Source: Sendable, Hashable {
      /// The tokens of all models.
      case union
      /// The base's, or the first model's.
      case base
      case model(Model)
    }

    /// Where a token's row comes from.
    public enum RowSource: Sendable, Hashable {
      case zero
      /// The same token of a model.
      case model(Model)
      /// Another token of a model, by its text or number.
      case token(Model, text: String?, id: Int?)
    }

    public struct Rule: Sendable, Hashable {
      /// nil: the base's, else the only owner's, else the owners' mean.
      public var source: RowSource?
      /// Whether models that have a row of their own get this one as well.
      public var force = false
    }

    public var source: Source
    /// Rules for single tokens, by their text.
    public var tokens: [String: Rule] = [:]
    /// Of what the number of rows has to be a multiple; the rows beyond the vocabulary are 0.
    public var padding: Int?

    public init(_ source: Source) { self.source = source }
  }

  public var method: MergeMethod
  public var base: Model?
  public var modules: [Module]
  public var parameters: Parameters = [:]
  /// The type of the result; nil is that of the base or first model.
  public var dtype: DType?
  /// Which tokens the result knows; nil leaves the embeddings alone and copies the base's or first model's tokenizer.
  public var tokenizer: Tokenizer?
  /// How chats become text: a name, `auto` for the models' commonest, or Jinja; nil leaves the tokenizer's own.
  public var chatTemplate: String?
  /// What is read and has no effect, one sentence each.
  public var notes: [String] = []
  public var missingTensors: MissingTensors = .error
  /// Merges whose results are inputs here, by name, each of the earlier ones only.
  public var merges: [(name: String, recipe: Recipe)] = []
  /// For methods that look at data: the network, by the keys that a study's `model` has, and the data by those of its `dataset`, once for all
  /// models or once for each. Values are YAML.
  public var network: [String: String] = [:]
  public var data: [[String: String]] = []
  /// As it was written, where it was.
  public var text: String?

  /// A merge of whole models.
  public init(_ method: MergeMethod, _ sources: [Source], base: Model? = nil, parameters: Parameters = [:]) {
    (self.method, self.base, self.parameters) = (method, base, parameters)
    modules = [Module(slices: [Slice(sources: sources)])]
  }

  /// Reads a recipe in YAML.
  ///
  /// - Parameter methods: the methods that may be named
  /// - Throws: `YAMLFileError` with every mistake, its line, what was expected and the likely spelling.
  public init(yaml text: String, file: String, methods: [MergeMethod] = MergeMethod.all) throws {
    var reader = RecipeReader(methods)
    let recipe: Recipe?
    do {
      recipe = reader.recipe(try YAMLNode.parse(text), "", earlier: [])
    } catch {
      throw YAMLFileError(file: file, problems: [error])
    }
    guard var recipe, reader.problems.isEmpty else {
      throw YAMLFileError(file: file, problems: reader.problems.sorted { $0.place < $1.place })
    }
    recipe.text = text
    self = recipe
  }

  init(method: MergeMethod, modules: [Module]) { (self.method, self.modules) = (method, modules) }

  /// Every model that files have to be read for, in the order of mention.
  public var models: [Model] {
    let earlier = Set(merges.map { Model($0.name) })
    var found: [Model] = []
    func add(_ model: Model?) {
      if let model, !earlier.contains(model), !found.contains(model) { found.append(model) }
    }
    for merge in merges { for model in merge.recipe.models where !earlier.contains(model) { add(model) } }
    for model in ownModels { add(model) }
    return found
  }

  /// Every model that this merge itself takes, files or merges before it.
  var ownModels: [Model] {
    var found: [Model] = []
    func add(_ model: Model?) { if let model, !found.contains(model) { found.append(model) } }
    add(base)
    for slice in modules.flatMap(\.slices) {
      add(slice.base)
      for source in slice.sources { add(source.model) }
    }
    return found
  }

  /// Whether it or a merge within it has to know vocabularies.
  var hasTokenizer: Bool { tokenizer != nil || merges.contains { $0.recipe.hasTokenizer } }
}

extension Recipe {
  /// A merge of whole models in YAML, for those that were not written in it.
  public var yaml: String {
    func text(_ value: Value) -> String {
      switch value {
      case .number(let number): MergeParameter.short(number)
      case .gradient(let numbers): "[\(numbers.map(MergeParameter.short).joined(separator: ", "))]"
      case .choice(let choices):
        "["
          + choices.map { "{" + ($0.filter.map { "filter: \(JSON.quoted($0)), " } ?? "") + "value: \(text($0.value))}" }
          .joined(separator: ", ") + "]"
      }
    }
    // JSON's texts are YAML's.
    func block(_ parameters: Parameters, _ indent: String) -> [String] {
      guard !parameters.isEmpty else { return [] }
      let lines = parameters.sorted { $0.key < $1.key }.map { key, value in
        guard let parameter = method.parameters.first(where: { $0.name == key }), case .number(let number) = value
        else { return "\(indent)  \(key): \(text(value))" }
        return "\(indent)  \(key): \(parameter.text(of: number))"
      }
      return ["\(indent)parameters:"] + lines
    }
    var lines = ["merge_method: \(method.name)"]
    if let base { lines.append("base_model: \(JSON.quoted(base.description))") }
    lines.append("models:")
    for source in modules.first?.slices.first?.sources ?? [] {
      lines.append("  - model: \(JSON.quoted(source.model.description))")
      lines += block(source.parameters, "    ")
    }
    lines += block(parameters, "")
    if let dtype { lines.append("dtype: \(dtype)") }
    if missingTensors != .error { lines.append("missing_tensors: \(missingTensors.rawValue)") }
    return lines.joined(separator: "\n") + "\n"
  }
}
