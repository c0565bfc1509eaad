import Checkpoints
import Torch

/// Matches the tensors of the inputs and finds each one's method, inputs and settings.
struct MergePlanner {
  /// A model's tensors, of files or merged before.
  struct Input {
    let names: [String]
    let layers: LayerStack?
    private let operands: [String: PlannedTensor.Operand]
    /// nil where the model comes without a tokenizer, or nobody asks.
    let vocabulary: Vocabulary?

    init(_ files: ModelFiles, hasVocabulary: Bool) throws {
      vocabulary = hasVocabulary && files.isFolder ? try Vocabulary(folder: files.path) : nil
      names = files.weights.names
      layers = files.layers
      var operands: [String: PlannedTensor.Operand] = [:]
      for (name, tensor) in zip(names, files.weights.tensors) {
        operands[name] = .stored(try TensorSource(files.adapter?.replacements[name] ?? tensor))
      }
      for (name, change) in files.adapter?.changes ?? [:] {
        guard case .stored(let weight) = operands[name] else {
          throw MergeError("\(files.model): the adapter changes \(name), which the model does not have")
        }
        guard weight.shape == change.shape else {
          throw MergeError("\(files.model): \(name) is \(weight.shape), and the adapter's change \(change.shape)")
        }
        operands[name] = .adapted(AdaptedTensor(weight: weight, change: change))
      }
      for (name, tensor) in files.adapter?.replacements ?? [:] where files.weights[name]?.shape != tensor.shape {
        throw MergeError("\(files.model): the adapter replaces \(name) by another shape, \(tensor.shape)")
      }
      self.operands = operands
    }

    init(_ tensors: [PlannedTensor], vocabulary: Vocabulary?) {
      self.vocabulary = vocabulary
      names = tensors.map(\.name)
      operands = Dictionary(tensors.map { ($0.name, .merged($0)) }, uniquingKeysWith: { $1 })
      var sizes: [String: Int] = [:]
      for tensor in tensors {
        if let place = LayerStack.place(of: tensor.name) { sizes[place.prefix, default: 0] += tensor.count }
      }
      layers = sizes.max { $0.value < $1.value }.flatMap { LayerStack.all(tensors.map(\.name))[$0.key] }
    }

    subscript(name: String) -> PlannedTensor.Operand? { operands[name] }
  }

  let seed: UInt64
  var inputs: [Recipe.Model: Input] = [:]
  /// Layers of the last merge that put layers together.
  private(set) var layerCount: Int?
  /// Of the last merge, where its recipe says which.
  private(set) var vocabulary: VocabularyPlan?
  /// Where relative paths start.
  var folder = "."
  private var problems: [String] = []

  init(seed: UInt64) { self.seed = seed }

  /// The tensors of a merge.
  ///
  /// - Throws: `MergeError` with every tensor that does not fit.
  mutating func plan(_ recipe: Recipe) throws -> [PlannedTensor] {
    problems = []
    layerCount = nil
    vocabulary = try recipe.tokenizer.flatMap { try vocabulary($0, recipe) }
    var tensors: [PlannedTensor] = []
    for module in recipe.modules {
      for slice in module.slices { try requireInputs(slice, recipe) }
      let isWhole = module.slices.allSatisfy { $0.sources.allSatisfy { $0.layers == nil } }
      let places = isWhole ? whole(module, recipe) : try layered(module, recipe)
      for place in places { if let tensor = try tensor(place, recipe) { tensors.append(tensor) } }
    }
    var seen: Set<String> = []
    for tensor in tensors where !seen.insert(tensor.name).inserted {
      problems.append("\(tensor.name): belongs to more than one module")
    }
    guard problems.isEmpty else {
      let shown = problems.prefix(40).joined(separator: "\n  ")
      let rest = problems.count > 40 ? "\n  and \(problems.count - 40) more" : ""
      throw MergeError("the inputs do not fit together:\n  \(shown)\(rest)")
    }
    return try PlannedTensor.trimmed(tensors)
  }

  /// The plan of the result's vocabulary; nil where a tokenizer is only to be copied, since not all models have one.
  private func vocabulary(_ tokenizer: Recipe.Tokenizer, _ recipe: Recipe) throws -> VocabularyPlan? {
    let models = recipe.ownModels
    var vocabularies: [Recipe.Model: Vocabulary] = [:]
    for model in models { vocabularies[model] = try input(model).vocabulary }
    if let model = models.first(where: { vocabularies[$0] == nil }) {
      guard tokenizer.source == .union || !tokenizer.tokens.isEmpty || tokenizer.padding != nil else { return nil }
      throw MergeError(
        "\(model): has no tokenizer.json, by which its tokens could be told; save it with transformers' fast tokenizer, "
          + "or leave out `tokenizer`")
    }
    var source: Vocabulary?
    if case .model(let model) = tokenizer.source {
      let path = try ModelFiles.locate(model, folder)
      source = try vocabularies[model] ?? Vocabulary(folder: path)
      guard source != nil else { throw CheckpointError(path, "has no tokenizer.json") }
    }
    return try VocabularyPlan(
      tokenizer, vocabularies: vocabularies, order: models, base: recipe.base, source: source)
  }

  // MARK: Places

  /// A tensor of the result and where each source has its counterpart.
  private struct Place {
    var name: String
    var slice: Recipe.Slice
    var module: Recipe.Module
    /// By the source's position.
    var names: [String]
    var baseName: String
    var t: Double
  }

  private func input(_ model: Recipe.Model) throws -> Input {
    guard let input = inputs[model] else { throw MergeError("\(model): was not read") }
    return input
  }

  /// All tensors of all sources under their own names.
  private func whole(_ module: Recipe.Module, _ recipe: Recipe) -> [Place] {
    guard let slice = module.slices.first else { return [] }
    let models = (recipe.base.map { [$0] } ?? []) + slice.sources.map(\.model)
    var names: [String] = []
    var seen: Set<String> = []
    for model in models {
      for name in inputs[model]?.names ?? [] where belongs(name, to: module, recipe) && seen.insert(name).inserted {
        names.append(name)
      }
    }
    let stacks = LayerStack.all(names)
    return names.map { name in
      // Embedding, final norm and head take a gradient's first value, as mergekit has it.
      var t = 0.0
      if let place = LayerStack.place(of: name), let count = stacks[place.prefix]?.count {
        t = count > 1 ? Double(place.layer) / Double(count - 1) : 1
      }
      return Place(
        name: name, slice: slice, module: module, names: slice.sources.map { _ in name }, baseName: name, t: t)
    }
  }

  private func belongs(_ name: String, to module: Recipe.Module, _ recipe: Recipe) -> Bool {
    guard let part = module.name, recipe.modules.count > 1 else { return true }
    return name.split(separator: ".").contains { $0 == part }
  }

  /// The layers of the slices, numbered anew; before them what the first slice's sources have besides layers, after them what the
  /// last one's have.
  private mutating func layered(_ module: Recipe.Module, _ recipe: Recipe) throws -> [Place] {
    guard let first = module.slices.first, let last = module.slices.last else { return [] }
    var places: [Place] = []
    func outside(_ slice: Recipe.Slice, isFirst: Bool) throws {
      guard let source = slice.sources.first else { return }
      let input = try input(source.model)
      for name in input.names where belongs(name, to: module, recipe) && Self.isBefore(name) == isFirst {
        if let place = LayerStack.place(of: name), place.prefix == input.layers?.prefix { continue }
        places.append(
          Place(
            name: name, slice: slice, module: module, names: slice.sources.map { _ in name }, baseName: name, t: 0))
      }
    }
    try outside(first, isFirst: true)
    var number = 0
    for slice in module.slices {
      for source in slice.sources {
        guard let stack = try input(source.model).layers, let range = source.layers, range.upperBound <= stack.count
        else {
          let count = try input(source.model).layers?.count ?? 0
          throw MergeError(
            "\(source.model) has \(count) layers; layer_range \(source.layers.map { "[\($0.lowerBound), \($0.upperBound)]" } ?? "")"
              + " asks for more")
        }
      }
      guard let source = slice.sources.first, let range = source.layers, let stack = try input(source.model).layers
      else { continue }
      let rests = try input(source.model).names.compactMap { LayerStack.place(of: $0) }
        .filter { $0.prefix == stack.prefix }
      for offset in range.indices.map({ $0 - range.lowerBound }) {
        for rest in rests where rest.layer == range.lowerBound + offset {
          let names = try slice.sources.map { source in
            try input(source.model).layers?.name((source.layers?.lowerBound ?? 0) + offset, rest.rest) ?? ""
          }
          places.append(
            Place(
              name: stack.name(number, rest.rest), slice: slice, module: module, names: names, baseName: names[0],
              t: range.count > 1 ? Double(offset) / Double(range.count - 1) : 1))
        }
        number += 1
      }
    }
    try outside(last, isFirst: false)
    layerCount = number
    return places
  }

  /// Whether a tensor outside the layers comes before them: embeddings and what stands in their place in vision.
  private static func isBefore(_ name: String) -> Bool {
    let words = ["embed", "wte", "wpe", "patch", "cls_token", "class_token", "stem", "pre_layrnorm", "rotary"]
    return words.contains { name.contains($0) }
  }

  // MARK: Tensors

  /// The inputs of a slice that are merged, in the method's order; the base apart where the method has one.
  private func roles(_ slice: Recipe.Slice, _ recipe: Recipe) -> (models: [Int], base: Recipe.Model?, isBaseAdded: Bool)
  {
    let base = slice.base ?? recipe.base
    let all = Array(slice.sources.indices)
    guard let base else { return (all, nil, false) }
    let others = all.filter { slice.sources[$0].model != base }
    guard recipe.method.base == .none else { return (others, base, false) }
    let listed = all.filter { slice.sources[$0].model == base }
    // A whole-model merge counts an unlisted base as a model, as mergekit does; slerp starts at it.
    let isAdded = listed.isEmpty && slice.sources.allSatisfy { $0.layers == nil }
    return (recipe.method.name == "slerp" ? listed + others : all, nil, isAdded)
  }

  private func requireInputs(_ slice: Recipe.Slice, _ recipe: Recipe) throws {
    let roles = roles(slice, recipe)
    try recipe.method.requireInputs(
      models: roles.models.count + (roles.isBaseAdded ? 1 : 0), hasBase: roles.base != nil)
    for model in slice.sources.map(\.model) + [slice.base, recipe.base].compactMap({ $0 }) {
      guard inputs[model] != nil else { throw MergeError("\(model): was not read") }
    }
  }

  private mutating func tensor(_ place: Place, _ recipe: Recipe) throws -> PlannedTensor? {
    let roles = roles(place.slice, recipe)
    var entries: [(model: Recipe.Model, name: String, parameters: Recipe.Parameters, isAddedBase: Bool)] =
      roles.models.map {
        (place.slice.sources[$0].model, place.names[$0], place.slice.sources[$0].parameters, false)
      }
    if roles.isBaseAdded, let base = place.slice.base ?? recipe.base {
      entries.insert((base, place.baseName, [:], true), at: recipe.method.name == "slerp" ? 0 : entries.count)
    }
    var operands = try entries.map { try input($0.model)[$0.name] }
    let base = try roles.base.map { try input($0)[place.baseName] } ?? nil
    var method = recipe.method
    let lacking =
      zip(entries, operands).filter { $0.1 == nil }.map { "\($0.0.model)" }
      + (roles.base != nil && base == nil ? ["\(roles.base?.description ?? "")"] : [])
    if !lacking.isEmpty {
      switch recipe.missingTensors {
      case .error:
        problems.append(
          "\(place.name): is missing in \(lacking.joined(separator: ", ")); missing_tensors: copy or drop says what to do"
        )
        return nil
      case .drop: return nil
      case .copy:
        let index = operands.firstIndex { $0 != nil }
        entries = index.map { [entries[$0]] } ?? []
        operands = index.map { [operands[$0]] } ?? [base]
        method = .passthrough
      }
    }
    let isWhole = method.name == recipe.method.name
    let labels = entries.map(\.model) + (isWhole && base != nil ? [roles.base].compactMap { $0 } : [])
    var known = operands.compactMap { $0 } + (isWhole ? [base].compactMap { $0 } : [])
    if let vocabulary, vocabulary.concerns(place.name, Array(zip(labels, known))) {
      known = try vocabulary.rearranged(place.name, Array(zip(labels, known)))
    }
    let hasBase = isWhole && base != nil
    let (found, start) = (hasBase ? Array(known.dropLast()) : known, hasBase ? known.last : base)
    if let (label, other) = zip(labels, known).first(where: { $0.1.shape != known[0].shape }) {
      let isVocabulary =
        known[0].shape.dropFirst() == other.shape.dropFirst() && VocabularyPlan.isVocabulary(place.name)
      problems.append(
        "\(place.name): is \(known[0].shape) in \(labels[0]) and \(other.shape) in \(label)"
          + (isVocabulary ? "; their vocabularies differ, which `tokenizer: {source: union}` mends" : ""))
      return nil
    }
    if let odd = known.first(where: { !$0.dtype.canBeMerged }), method.name != "passthrough" {
      problems.append("\(place.name): is \(odd.dtype), with which there is no arithmetic; convert it first")
      return nil
    }
    let isBase = method.base != .none
    let settings =
      isWhole
      ? try self.settings(place, entries.map { ($0.name, $0.parameters, $0.isAddedBase) }, recipe)
      : try MergeSettings(for: method, models: 1)
    let reference = isBase ? start ?? found[0] : found[0]
    let dtype =
      reference.dtype.isFloatingPoint && reference.dtype.canBeMerged ? recipe.dtype ?? reference.dtype : reference.dtype
    return PlannedTensor(
      name: place.name, dtype: dtype, method: method, settings: settings, models: found, base: isBase ? start : nil,
      sources: entries.map { "\($0.model): \($0.name)" }
        + (isBase ? roles.base.map { ["\($0): \(place.baseName)"] } ?? [] : []),
      seed: seed)
  }

  /// The values of a tensor's parameters: a model's own before its slice's, its module's and the recipe's.
  private func settings(
    _ place: Place, _ models: [(name: String, parameters: Recipe.Parameters, isAddedBase: Bool)], _ recipe: Recipe
  ) throws -> MergeSettings {
    let shared = [place.slice.parameters, place.module.parameters, recipe.parameters]
    var given: [String: [Double]] = [:]
    for parameter in recipe.method.parameters {
      func value(_ name: String, _ scopes: [Recipe.Parameters]) -> Double? {
        scopes.lazy.compactMap {
          $0[parameter.name]?.resolved(name, at: place.t, isDiscrete: parameter.isDiscrete)
        }.first
      }
      guard parameter.perModel else {
        if let value = value(place.name, shared) { given[parameter.name] = [value] }
        continue
      }
      let values = models.map { value($0.name, [$0.parameters] + shared) }
      if values.allSatisfy({ $0 == nil }), !models.contains(where: \.isAddedBase) { continue }
      given[parameter.name] = try zip(models, values).map { model, value in
        if let value { return value }
        guard !model.isAddedBase, let standard = parameter.defaultValue else {
          throw MergeError(
            "\(place.name): \(recipe.method.name) needs \(parameter.name) for \(model.isAddedBase ? "the base, which it merges as a model; list it under models" : model.name)"
          )
        }
        return standard
      }
    }
    do {
      return try MergeSettings(given, for: recipe.method, models: models.count)
    } catch let error as MergeError {
      throw MergeError("\(place.name): \(error.description)")
    }
  }
}

extension DType {
  /// Whether kernels read and write it; others can only be copied.
  var canBeMerged: Bool {
    [.uint8, .int8, .int16, .int32, .int64, .float16, .float32, .float64, .bool, .bfloat16].contains(self)
  }
}
