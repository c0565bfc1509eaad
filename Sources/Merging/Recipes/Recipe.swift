import Torch

/// A merge as it is declared: mergekit's YAML (its keys and their meaning are mergekit 0.1.5's), or the same written in
/// code.
public struct Recipe: Sendable {
  /// A network's files: a folder in Hugging Face's layout, a safetensors file, a name in the Hugging Face cache, or an
  /// earlier merge of the same recipe.
  public struct Model: Sendable, Hashable, CustomStringConvertible {
    /// A path, a name such as `owner/model`, or the name of a merge.
    public var path: String
    /// A branch, tag or commit in the Hugging Face cache; nil is `main`.
    public var revision: String?
    /// An adapter to add to the weights, spelled as a model is.
    public var lora: String?

    /// A model by its parts.
    public init(_ path: String, revision: String? = nil, lora: String? = nil) {
      (self.path, self.revision, self.lora) = (path, revision, lora)
    }

    /// A model as recipes and the command line spell it: `path[@revision][+adapter[@revision]]`.
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

    /// The spelling that `init(spelled:)` reads.
    public var description: String { path + (revision.map { "@\($0)" } ?? "") + (lora.map { "+\($0)" } ?? "") }
  }

  /// A parameter's value, which may depend on the tensor.
  public indirect enum Value: Sendable, Hashable {
    /// The same for all tensors; a flag is 1 or 0.
    case number(Double)
    /// Numbers spread evenly over the layers, with straight lines between them.
    case gradient([Double])
    /// The first choice that fits the tensor's name.
    case choice([Choice])

    /// A value for some tensors.
    public struct Choice: Sendable, Hashable {
      /// A part of the tensor's name; nil or `*` fits any.
      public var filter: String?
      /// What these tensors get.
      public var value: Value
    }

    /// The value for a tensor at depth `t` (0 is the first layer of its slice, 1 the last); nil where no filter fits.
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

  /// Values by the parameter's name.
  public typealias Parameters = [String: Value]

  /// One input of a slice.
  public struct Source: Sendable {
    /// Whose weights they are.
    public var model: Model
    /// Which layers are taken; nil: all.
    public var layers: Range<Int>?
    /// The model's own values.
    public var parameters: Parameters

    /// A model, or some of its layers, with values of its own.
    public init(_ model: Model, layers: Range<Int>? = nil, parameters: Parameters = [:]) {
      (self.model, self.layers, self.parameters) = (model, layers, parameters)
    }
  }

  /// Consecutive layers of the result, made of as many layers of each source.
  public struct Slice: Sendable {
    /// Models or as many layers of each.
    public var sources: [Source]
    /// The base of this slice; nil is the recipe's.
    public var base: Model?
    /// Values for this slice.
    public var parameters: Parameters = [:]
  }

  /// A part of the network with layers of its own.
  public struct Module: Sendable {
    /// A component of its tensors' names; nil for the whole network.
    public var name: String?
    /// Its layers in order, or one slice of whole models.
    public var slices: [Slice]
    /// Values for this module.
    public var parameters: Parameters = [:]

    /// Whether models are merged whole, not layers of them.
    var isWhole: Bool { slices.allSatisfy { $0.sources.allSatisfy { $0.layers == nil } } }
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
    /// Whose tokens the result knows.
    public enum Source: Sendable, Hashable {
      /// Those of all models.
      case union
      /// The base's, or the first model's.
      case base
      /// One model's.
      case model(Model)
    }

    /// Where a token's row comes from.
    public enum RowSource: Sendable, Hashable {
      /// Nowhere: the row is 0.
      case zero
      /// The same token of a model.
      case model(Model)
      /// Another token of a model, by its text or number.
      case token(Model, text: String?, id: Int?)
    }

    /// What is said about one token.
    public struct Rule: Sendable, Hashable {
      /// Where its row comes from; nil: from the base, else from the only model that has it, else from all that do, as
      /// their mean.
      public var source: RowSource?
      /// Whether models that have a row of their own get this one as well.
      public var force = false
    }

    /// Whose tokens the result knows.
    public var source: Source
    /// Rules for single tokens, by their text.
    public var tokens: [String: Rule] = [:]
    /// The number of rows is a multiple of this; rows beyond the vocabulary are 0.
    public var padding: Int?

    /// The tokens of `source`, without rules.
    public init(_ source: Source) { self.source = source }
  }

  /// How the models are merged.
  public var method: MergeMethod
  /// What the models were fine-tuned from.
  public var base: Model?
  /// The parts of the network; one without a name is the whole.
  public var modules: [Module]
  /// Values for every tensor.
  public var parameters: Parameters = [:]
  /// The type of the result; nil is that of the base or first model.
  public var dtype: DType?
  /// Which tokens the result knows; nil leaves the embeddings alone and copies the base's or first model's tokenizer.
  public var tokenizer: Tokenizer?
  /// How chats become text: a name, `auto` for the models' commonest, or Jinja; nil leaves the tokenizer's own.
  public var chatTemplate: String?
  /// What was read and has no effect, a sentence each.
  public var notes: [String] = []
  /// What to do with tensors that only some of the inputs have.
  public var missingTensors: MissingTensors = .error
  /// Merges whose results are inputs here, by name. Each may take those before it.
  public var merges: [(name: String, recipe: Recipe)] = []
  /// For methods that look at data: the network, by the keys of a study's `model`. Values are YAML.
  public var network: [String: String] = [:]
  /// For methods that look at data: the data by the keys of a study's `dataset`, once for all models or once for each.
  /// Values are YAML.
  public var data: [[String: String]] = []
  /// As it was written, where it was.
  public var text: String?

  /// A merge of whole models.
  public init(_ method: MergeMethod, _ sources: [Source], base: Model? = nil, parameters: Parameters = [:]) {
    (self.method, self.base, self.parameters) = (method, base, parameters)
    modules = [Module(slices: [Slice(sources: sources)])]
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

  /// Which inputs of a slice are merged, by their positions in the method's order, and the base apart where the method
  /// has one.
  func roles(of slice: Slice) -> (models: [Int], base: Model?, isBaseAdded: Bool) {
    let base = slice.base ?? base
    let all = Array(slice.sources.indices)
    guard let base else { return (all, nil, false) }
    let others = all.filter { slice.sources[$0].model != base }
    guard method.base == .none else { return (others, base, false) }
    let listed = all.filter { slice.sources[$0].model == base }
    // A merge of whole models counts an unlisted base as a model, as mergekit does.
    let isAdded = listed.isEmpty && slice.sources.allSatisfy { $0.layers == nil }
    return (method.traits.contains(.startsAtBase) ? listed + others : all, nil, isAdded)
  }

  /// Whether a tensor is the module's, by its name.
  func has(_ name: String, in module: Module) -> Bool {
    guard let part = module.name, modules.count > 1 else { return true }
    return name.split(separator: ".").contains { $0 == part }
  }

  /// Whether it or a merge within it has to know vocabularies.
  var hasTokenizer: Bool { tokenizer != nil || merges.contains { $0.recipe.hasTokenizer } }
}
