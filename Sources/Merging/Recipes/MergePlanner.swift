import Checkpoints
import Support
import Torch

/// Matches the tensors of the inputs and finds each one's method, inputs and settings.
struct MergePlanner {
  private let seed: UInt64
  /// Where relative paths start.
  private let folder: String
  var inputs: [Recipe.Model: ModelTensors]
  /// Of the last merge that put the layers of the whole network together: which of the first source's each of the
  /// result's is.
  private(set) var layerOrder: [Int]?
  /// Of the last merge, where its recipe says which.
  private(set) var vocabulary: VocabularyPlan?
  /// What is left out or taken from one model alone because the recipe says so, one sentence each, of all merges.
  private(set) var notes: [String] = []
  /// What is wrong, a sentence for each tensor.
  private var problems: [String] = []
  private var copied: [String] = []
  private var dropped: [String] = []

  init(_ models: MergeModels, seed: UInt64) {
    (folder, inputs, self.seed) = (models.folder, models.inputs, seed)
  }

  /// The tensors of a merge.
  ///
  /// - Throws: `MergeError` with every tensor that does not fit.
  mutating func plan(_ recipe: Recipe) throws -> [PlannedTensor] {
    problems = []
    layerOrder = nil
    (copied, dropped) = ([], [])
    vocabulary = try recipe.tokenizer.flatMap { try vocabulary($0, recipe) }
    var tensors: [PlannedTensor] = []
    for module in recipe.modules {
      for slice in module.slices { try requireInputs(slice, recipe) }
      let found = try MergePlaces(module, of: recipe, inputs)
      problems += found.problems
      copied += found.copied
      dropped += found.dropped
      layerOrder = found.layerOrder ?? layerOrder
      for place in found.places { if let tensor = try tensor(place, recipe) { tensors.append(tensor) } }
      if let name = module.name, recipe.modules.count > 1, found.places.isEmpty, problems.isEmpty {
        problems.append("modules.\(name): no tensor has \(name) between dots in its name; a module is such a part")
      }
    }
    for name in outsideModules(of: recipe) {
      try alone(name, "belongs to none of the modules", recipe).map { tensors.append($0) }
    }
    var seen: Set<String> = []
    for tensor in tensors where !seen.insert(tensor.name).inserted {
      problems.append("\(tensor.name): belongs to more than one module")
    }
    guard problems.isEmpty else {
      let shown = problems.prefix(40).joined(separator: "\n  ")
      let rest = problems.count > 40 ? "\n  and \(problems.count - 40) more" : ""
      throw MergeError("the inputs do not fit together\(depths(recipe)):\n  \(shown)\(rest)")
    }
    for filter in idleFilters(recipe) { notes.append("filter \(filter): no tensor has this in its name") }
    for (names, words) in [(copied, "copy takes from one model"), (dropped, "drop leaves out")] where !names.isEmpty {
      notes.append(
        "missing_tensors: \(words) what not all have: \(names.prefix(8).joined(separator: ", "))"
          + (names.count > 8 ? " and \(names.count - 8) more" : ""))
    }
    return try PlannedTensor.trimmed(tensors)
  }

  /// The plan of the result's vocabulary; nil where a tokenizer is only to be copied, since not all models have one.
  private func vocabulary(_ tokenizer: Recipe.Tokenizer, _ recipe: Recipe) throws -> VocabularyPlan? {
    let models = recipe.ownModels
    var vocabularies: [Recipe.Model: Vocabulary] = [:]
    for model in models { vocabularies[model] = try inputs.required(model).vocabulary }
    if let model = models.first(where: { vocabularies[$0] == nil }) {
      guard tokenizer.source == .union || !tokenizer.tokens.isEmpty || tokenizer.padding != nil else { return nil }
      throw MergeError(
        "\(model): has no tokenizer.json, by which its tokens could be told; save it with transformers' fast "
          + "tokenizer, or "
          + "leave out `tokenizer`")
    }
    var source: Vocabulary?
    if case .model(let model) = tokenizer.source {
      let path = try ModelFiles.locate(model, folder)
      source = try vocabularies[model] ?? Vocabulary(folder: path)
      guard source != nil else { throw FileError(path, "has no tokenizer.json") }
    }
    return try VocabularyPlan(
      tokenizer, vocabularies: vocabularies, order: models, base: recipe.base, source: source)
  }

  /// Filters of the recipe's parameters that fit no tensor of its inputs, which may be misspelled.
  private func idleFilters(_ recipe: Recipe) -> [String] {
    func filters(_ value: Recipe.Value) -> [String] {
      guard case .choice(let choices) = value else { return [] }
      return choices.flatMap { [$0.filter].compactMap { $0 } + filters($0.value) }
    }
    let slices = recipe.modules.flatMap(\.slices)
    let parameters =
      [recipe.parameters] + recipe.modules.map(\.parameters) + slices.map(\.parameters)
      + slices.flatMap(\.sources).map(\.parameters)
    let found = Set(parameters.flatMap(\.values).flatMap(filters)).subtracting(["*"])
    let names = recipe.ownModels.flatMap { inputs[$0]?.names ?? [] }
    return found.filter { filter in !names.contains { $0.contains(filter) } }.sorted()
  }

  /// Models of different depth, in words.
  private func depths(_ recipe: Recipe) -> String {
    let counts = recipe.ownModels.compactMap { model in inputs[model]?.stack().map { (model, $0.count) } }
    guard recipe.modules.allSatisfy(\.isWhole), Set(counts.map(\.1)).count > 1 else { return "" }
    return " (" + counts.map { "\($0) has \($1) layers" }.joined(separator: ", ") + ")"
  }

  // MARK: Tensors

  /// The tensors of a recipe of several modules that none of them names, in their order.
  private func outsideModules(of recipe: Recipe) -> [String] {
    var seen: Set<String> = []
    return recipe.ownModels.flatMap { inputs[$0]?.names ?? [] }.filter { name in
      !recipe.modules.contains { recipe.has(name, in: $0) } && seen.insert(name).inserted
    }
  }

  private func requireInputs(_ slice: Recipe.Slice, _ recipe: Recipe) throws {
    let roles = recipe.roles(of: slice)
    try recipe.method.requireInputs(
      models: roles.models.count + (roles.isBaseAdded ? 1 : 0), hasBase: roles.base != nil)
    for model in slice.sources.map(\.model) + [slice.base, recipe.base].compactMap({ $0 }) {
      _ = try inputs.required(model)
    }
  }

  private mutating func tensor(_ place: MergePlaces.Place, _ recipe: Recipe) throws -> PlannedTensor? {
    let roles = recipe.roles(of: place.slice)
    var entries: [(model: Recipe.Model, name: String, parameters: Recipe.Parameters, isAddedBase: Bool)] =
      roles.models.map {
        (place.slice.sources[$0].model, place.names[$0], place.slice.sources[$0].parameters, false)
      }
    if roles.isBaseAdded, let base = place.slice.base ?? recipe.base {
      let isFirst = recipe.method.traits.contains(.startsAtBase)
      entries.insert((base, place.baseName, [:], true), at: isFirst ? 0 : entries.count)
    }
    var operands = try entries.map { try inputs.required($0.model)[$0.name] }
    let base = try roles.base.map { try inputs.required($0)[place.baseName] } ?? nil
    var (method, isCopy) = (recipe.method, false)
    let lacking =
      zip(entries, operands).filter { $0.1 == nil }.map { "\($0.0.model)" }
      + (roles.base != nil && base == nil ? ["\(roles.base?.description ?? "")"] : [])
    if !lacking.isEmpty {
      switch recipe.missingTensors {
      case .error:
        let models = lacking.joined(separator: ", ")
        problems.append("\(place.name): is missing in \(models); missing_tensors: copy or drop says what to do")
        return nil
      case .drop:
        dropped.append(place.name)
        return nil
      case .copy:
        copied.append(place.name)
        let index = operands.firstIndex { $0 != nil }
        entries = index.map { [entries[$0]] } ?? []
        operands = index.map { [operands[$0]] } ?? [base]
        (method, isCopy) = (.passthrough, true)
      }
    }
    let hasBase = !isCopy && base != nil
    let labels = entries.map(\.model) + (hasBase ? [roles.base].compactMap { $0 } : [])
    var known = operands.compactMap { $0 } + (isCopy ? [] : [base].compactMap { $0 })
    if let vocabulary, vocabulary.concerns(place.name, Array(zip(labels, known))) {
      known = try vocabulary.rearranged(place.name, Array(zip(labels, known)))
    }
    let (found, start) = (hasBase ? Array(known.dropLast()) : known, hasBase ? known.last : base)
    if let (label, other) = zip(labels, known).first(where: { $0.1.shape != known[0].shape }) {
      let isVocabulary =
        known[0].shape.dropFirst() == other.shape.dropFirst() && VocabularyPlan.isVocabulary(place.name)
      problems.append(
        "\(place.name): is \(known[0].shape) in \(labels[0]) and \(other.shape) in \(label)"
          + (isVocabulary ? "; their vocabularies differ, which `tokenizer: {source: union}` mends" : ""))
      return nil
    }
    if let odd = known.first(where: { !$0.dtype.canBeMerged }), !method.traits.contains(.copies) {
      problems.append("\(place.name): is \(odd.dtype), with which there is no arithmetic; convert it first")
      return nil
    }
    let isBase = method.base != .none
    let settings =
      isCopy
      ? try MergeSettings(for: method, models: 1)
      : try self.settings(place, entries.map { ($0.name, $0.parameters, $0.isAddedBase) }, recipe)
    let reference = isBase ? start ?? found[0] : found[0]
    let dtype =
      reference.dtype.isFloatingPoint && reference.dtype.canBeMerged ? recipe.dtype ?? reference.dtype : reference.dtype
    return PlannedTensor(
      name: place.name, dtype: dtype, method: method, settings: settings, models: found, base: isBase ? start : nil,
      sources: entries.map { "\($0.model): \($0.name)" }
        + (isBase ? roles.base.map { ["\($0): \(place.baseName)"] } ?? [] : []),
      seed: seed)
  }

  /// A tensor that the recipe says nothing about: refused, taken from the first model that has it, or left out, as
  /// `missing_tensors` says.
  private mutating func alone(_ name: String, _ what: String, _ recipe: Recipe) throws -> PlannedTensor? {
    guard let model = recipe.ownModels.first(where: { inputs[$0]?[name] != nil }) else { return nil }
    switch recipe.missingTensors {
    case .error:
      problems.append("\(name): \(what); missing_tensors: copy takes it from \(model), drop leaves it out")
      return nil
    case .drop:
      dropped.append(name)
      return nil
    case .copy:
      copied.append(name)
      var copy = Recipe(.passthrough, [Recipe.Source(model)])
      copy.dtype = recipe.dtype
      let (module, slice) = (copy.modules[0], copy.modules[0].slices[0])
      let place = MergePlaces.Place(name: name, slice: slice, module: module, names: [name], baseName: name, t: 0)
      return try tensor(place, copy)
    }
  }

  /// The values of a tensor's parameters: a model's own before its slice's, its module's and the recipe's.
  private func settings(
    _ place: MergePlaces.Place, _ models: [(name: String, parameters: Recipe.Parameters, isAddedBase: Bool)],
    _ recipe: Recipe
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
          let culprit = model.isAddedBase ? "the base, which it merges as a model; list it under models" : model.name
          throw MergeError("\(place.name): \(recipe.method.name) needs \(parameter.name) for \(culprit)")
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
