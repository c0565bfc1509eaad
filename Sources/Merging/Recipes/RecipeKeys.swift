import Schema
import Search
import Support
import Torch

/// The keys of a recipe, with what can be said of them before the method is known; they and their meaning are
/// mergekit's.
struct RecipeForm: Equatable, Sendable {
  var method, base, models, slices, modules, parameters: YAMLNode?
  var dtype, outDtype: DType?
  var tokenizerSource, tokenizer, chatTemplate: YAMLNode?
  var missingTensors = Recipe.MissingTensors.error
  var merges, network, data: YAMLNode?

  static let section = Section(RecipeForm()) {
    Key(
      "merge_method", \.method, .text(as: "a name"), words: "required", "how to merge; see `valley merge methods`")
    Key("base_model", \.base, .model, "the weights that the models were fine-tuned from, for methods that need them")
    Key("models", \.models, .list(of: SourceForm.section), "what is merged: whole models")
    Key(
      "slices", \.slices, .list(of: SliceForm.section),
      "what is merged, layer by layer: the parts of the result, from the first on")
    Key(
      "modules", \.modules, .mapping(to: ModuleForm.section), "what is merged, component by component, each by its name"
    )
    Key("parameters", \.parameters, .parameters, "values for the method, where no model, slice or module has its own")
    Key("dtype", \.dtype, .dtype, words: "the base's or first model's", "the type of the result")
    Key("out_dtype", \.outDtype, .dtype, words: "`dtype`", "the type of the result, too")
    Key(
      "tokenizer_source", \.tokenizerSource, .text(as: "union, base or a model"), "`source` of `tokenizer`, by itself")
    Key(
      "tokenizer", \.tokenizer, .mapping(TokenizerForm.section),
      "which tokens the result knows; left out, embeddings are merged as they are")
    Key(
      "chat_template", \.chatTemplate, .text(as: "auto, a name or a Jinja template"),
      "how chats become text; left out, the tokenizer's own")
    Key(
      "missing_tensors", \.missingTensors, .word(of: Recipe.MissingTensors.allCases),
      "what becomes of tensors that only some inputs have")
    Key(
      "merges", \.merges, .text(as: "a mapping of names to recipes"),
      "merges whose results are inputs here, by their names")
    Key(
      "network", \.network, .text(as: "a name or a mapping"),
      "the network, for methods that look at data: the keys of a study's `model`")
    Key(
      "data", \.data, .text(as: "a name, a mapping, or a list of one for each model"),
      "the data, for methods that look at data: the keys of a study's `dataset`")
  }
}

/// A component of the network, merged in its own way.
struct ModuleForm: Equatable, Sendable {
  var models, slices, parameters: YAMLNode?

  static let section = Section(ModuleForm()) {
    Key("models", \.models, .list(of: SourceForm.section), "the component of whole models")
    Key("slices", \.slices, .list(of: SliceForm.section), "the component layer by layer; one of the two is needed")
    Key("parameters", \.parameters, .parameters, "values for the method")
  }
}

/// Consecutive layers of the result.
struct SliceForm: Equatable, Sendable {
  var sources, base, parameters: YAMLNode?
  var residualWeight: Double?

  static let section = Section(SliceForm()) {
    Key("sources", \.sources, .list(of: SourceForm.ofSlice), words: "required", "as many layers of each model")
    Key("base_model", \.base, .model, "the base of these layers")
    Key("parameters", \.parameters, .parameters, "values for the method")
    Key("residual_weight", \.residualWeight, .plainNumber, "read and of no effect, as in mergekit")
  }
}

/// A model that is merged, or some of its layers.
struct SourceForm: Equatable, Sendable {
  var model, parameters: YAMLNode?
  var layers: Range<Int>?

  static let section = Section(SourceForm()) {
    Key("model", \.model, .model, words: "required", "the model")
    Key("parameters", \.parameters, .parameters, "values for the method that each model may have of its own")
  }

  static let ofSlice = Section(SourceForm()) {
    for key in section.keys { key }
    Key("layer_range", \.layers, .layers, words: "required", "the layers, the last not included")
  }
}

/// A model by its parts, instead of `path[@revision][+adapter]`.
struct ModelForm: Equatable, Sendable {
  var path: YAMLNode?
  var revision: String?
  var model, lora, overrideArchitecture: YAMLNode?

  static let section = Section(ModelForm()) {
    Key(
      "path", \.path, .text(as: "a path or name"), "a folder, a safetensors file, or a name in the Hugging Face cache")
    Key("revision", \.revision, .text, "the revision in the cache")
    Key("model", \.model, .text(as: "a path or a mapping"), "the same as `path`, where it has parts of its own")
    Key("lora", \.lora, .text(as: "a path or a mapping"), "an adapter to add to the weights")
    Key("override_architecture", \.overrideArchitecture, .text(as: "a name"), "read and of no effect")
  }
}

/// A parameter's value for some tensors.
struct ChoiceForm: Equatable, Sendable {
  var filter: String?
  var value: YAMLNode?

  static let section = Section(ChoiceForm()) {
    Key("filter", \.filter, .text, words: "any", "a part of the tensors' names")
    Key(
      "value", \.value, .text(as: "a value, a list over the layers, or choices"), words: "required",
      "the parameter's value for them")
  }
}

/// The vocabulary of the result.
struct TokenizerForm: Equatable, Sendable {
  var source, tokens: YAMLNode?
  var padding: Int?

  static let section = Section(TokenizerForm()) {
    Key("source", \.source, .text(as: "union, base or a model"), words: "union", "whose tokens the result knows")
    Key(
      "tokens", \.tokens, .mapping(to: RuleForm.section),
      "where the rows of single tokens come from, by the tokens' texts")
    Key(
      "pad_to_multiple_of", \.padding, .padding,
      "what the number of rows is a multiple of; rows beyond the vocabulary are 0")
  }
}

/// Where the row of a token comes from.
struct RuleForm: Equatable, Sendable {
  var source: YAMLNode?
  var isForced = false

  static let section = Section(RuleForm()) {
    Key(
      "source", \.source, .mapping(RowForm.section, or: "a model"),
      words: "the base's, else the only owner's, else the owners' mean",
      "the model whose row of the token it is, or another row")
    Key("force", \.isForced, .flag, "whether models that have a row of their own get this one as well")
  }
}

/// A row that is not that of the same token.
struct RowForm: Equatable, Sendable {
  enum Source: String, CaseIterable, Sendable {
    case zero
    case modelToken = "model_token"
  }
  var kind: Source?
  var model: YAMLNode?
  var token: String?
  var number: Int?

  static let section = Section(RowForm()) {
    Key("kind", \.kind, .word(of: Source.allCases), words: "required", "zeros, or the row of another token")
    Key("model", \.model, .model, "the model that the other token is of")
    Key("token", \.token, .text, "the other token's text")
    Key("token_id", \.number, .integer(), "the other token's number, in the place of its text")
  }
}

/// What is searched in the place of a value.
struct RangeForm: Equatable, Sendable {
  var from, to: Double?
  var scale = SearchSpace.Scale.linear
  var choices: YAMLNode?

  static let section = Section(RangeForm()) {
    Key("from", \.from, .plainNumber, words: "required", "the lower end")
    Key("to", \.to, .plainNumber, words: "required", "the upper end")
    Key("scale", \.scale, .scale, "whether differences or ratios are searched evenly")
    Key(
      "choices", \.choices, .text(as: "a list of two or more values"),
      "the values to choose from, in the place of all the others")
  }
}

extension Recipe {
  /// The keys of a recipe, for documentation.
  package static let keys = RecipeForm.section.declarations
  /// The keys of a range, which takes the place of a value in the recipe of a search.
  package static let rangeKeys = RangeForm.section.declarations
}

extension Kind where Value == YAMLNode {
  /// What is read once the method is known.
  fileprivate static func text(as expected: String) -> Kind { .node(expected) }
  fileprivate static var model: Kind { mapping(ModelForm.section, or: "a model's path or name") }
  fileprivate static var parameters: Kind { .node("a mapping of the method's parameters") }

  fileprivate static func mapping<Form>(_ section: Section<Form>, or other: String? = nil) -> Kind {
    .node((other.map { "\($0), or " } ?? "") + "a mapping", keys: section.declarations)
  }

  fileprivate static func mapping<Form>(to section: Section<Form>) -> Kind {
    .node("a mapping of names to mappings", keys: section.declarations, isList: true)
  }

  fileprivate static func list<Form>(of section: Section<Form>) -> Kind {
    .node("a list of mappings", keys: section.declarations, isList: true)
  }
}

extension Kind where Value == String {
  /// One of `names`, exactly.
  ///
  /// - Parameter other: what it may be instead, for messages
  static func word(of names: [String], other: String = "") -> Kind {
    Kind("one of \(names.joined(separator: ", "))") { node, reader, keyPath in
      guard let text = Kind.text.read(node, reader, at: keyPath) else { return nil }
      if names.contains(text) { return text }
      let guess = closest(to: text, in: names).map { "; did you mean `\($0)`?" } ?? ""
      reader.report(
        node.place, keyPath,
        "is \"\(text.shortened)\"; expected one of \(names.joined(separator: ", "))\(guess)\(other)")
      return nil
    }
  }
}

extension Kind where Value: RawRepresentable, Value.RawValue == String {
  fileprivate static func word(of cases: [Value]) -> Kind {
    let word = Kind<String>.word(of: cases.map(\.rawValue))
    return Kind(word.expected, text: \.rawValue) { word.read($0, $1, at: $2).flatMap(Value.init) }
  }
}

extension Kind where Value == DType {
  fileprivate static var dtype: Kind {
    let types: [String: DType] = [
      "float16": .float16, "bfloat16": .bfloat16, "float32": .float32, "float64": .float64,
    ]
    let word = Kind<String>.word(of: types.keys.sorted())
    return Kind(word.expected) { node, reader, keyPath in
      var node = node
      if case .scalar(let text, let isPlain) = node.content, text.hasPrefix("torch.") {
        node.content = .scalar(String(text.dropFirst(6)), isPlain: isPlain)
      }
      return word.read(node, reader, at: keyPath).flatMap { types[$0] }
    }
  }
}

extension Kind where Value == Double {
  fileprivate static var plainNumber: Kind {
    Kind("a number", text: shortText) { node, reader, keyPath in
      guard case .scalar(let text, isPlain: true) = node.content, let number = Double(text), number.isFinite else {
        return reader.refuse(node, keyPath, expected: "a number")
      }
      return number
    }
  }
}

extension Kind where Value == SearchSpace.Scale {
  fileprivate static var scale: Kind {
    Kind("linear or log", text: \.rawValue) { node, reader, keyPath in
      if case .scalar(let text, _) = node.content, let scale = SearchSpace.Scale(rawValue: text) { return scale }
      return reader.refuse(node, keyPath, expected: "linear or log")
    }
  }
}

extension Kind where Value == Range<Int> {
  fileprivate static var layers: Kind {
    Kind("[from, to]") { node, reader, keyPath in
      let bounds = node.elements?.compactMap { element -> Int? in
        if case .scalar(let text, isPlain: true) = element.content { Int(text) } else { nil }
      }
      guard let bounds, bounds.count == 2, node.elements?.count == 2, bounds[0] >= 0, bounds[0] < bounds[1],
        bounds[1] <= 100_000
      else { return reader.refuse(node, keyPath, expected: "[from, to] with from below to, such as [0, 16]") }
      return bounds[0]..<bounds[1]
    }
  }
}

extension Kind where Value == Int {
  fileprivate static var padding: Kind {
    let expected = "a whole number within 1 … 65536"
    return Kind(expected) { node, reader, keyPath in
      guard case .scalar(let text, isPlain: true) = node.content, let number = Int(text), (1...65536).contains(number)
      else { return reader.refuse(node, keyPath, expected: expected) }
      return number
    }
  }
}
