import Support
import Torch
import Schema

/// Reads a recipe out of YAML and collects what is wrong instead of stopping at the first mistake.
struct RecipeReader {
  private(set) var problems: [YAMLProblem] = []
  private var notes: [String] = []
  /// Merges that are not read yet: no model may be one of them.
  private var later: Set<String> = []
  let methods: [MergeMethod]

  init(_ methods: [MergeMethod] = MergeMethod.all) { self.methods = methods }

  private static let keys = [
    "merge_method", "base_model", "models", "slices", "modules", "parameters", "dtype", "out_dtype",
    "tokenizer_source", "tokenizer", "chat_template", "missing_tensors", "merges", "network", "data",
  ]
  private static let dtypes: [String: DType] = [
    "float16": .float16, "bfloat16": .bfloat16, "float32": .float32, "float64": .float64,
  ]

  /// The recipe in `node`; nil where a mistake leaves none. `earlier` names the merges that may be inputs.
  mutating func recipe(_ node: YAMLNode, _ path: String, earlier: [String]) -> Recipe? {
    guard let fields = fields(node, path, Self.keys, parameters: parameterNames(node)) else { return nil }
    var merges: [(name: String, recipe: Recipe)] = []
    let entries = fields["merges"].flatMap { mapping($0, at(path, "merges")) } ?? []
    let outer = later
    defer { later = outer }
    for (index, entry) in entries.enumerated() {
      later = outer.union(entries[index...].map(\.name))
      let place = at(at(path, "merges"), entry.name)
      let names = earlier + merges.map(\.name)
      if names.contains(entry.name) { report(entry.place, place, "is the name of another merge") }
      if let recipe = recipe(entry.value, place, earlier: names) { merges.append((entry.name, recipe)) }
    }
    later = outer
    guard let method = method(fields["merge_method"], node, path) else { return nil }
    let parameters = parameters(fields["parameters"], at(path, "parameters"), method, ofModel: false)
    let forms = ["models", "slices", "modules"].filter { fields[$0] != nil }
    guard forms.count == 1 else {
      report(
        node.place, path,
        "has \(forms.isEmpty ? "none" : forms.joined(separator: " and ")) of models, slices, modules; one of them is needed"
      )
      return nil
    }
    var modules: [Recipe.Module] = []
    if let node = fields["modules"] {
      let known = ["models", "slices", "parameters"]
      for entry in mapping(node, at(path, "modules")) ?? [] {
        let place = at(at(path, "modules"), entry.name)
        guard let fields = self.fields(entry.value, place, known) else { continue }
        guard (fields["models"] == nil) != (fields["slices"] == nil) else {
          report(entry.place, place, "needs either models or slices")
          continue
        }
        modules.append(
          Recipe.Module(
            name: entry.name, slices: slices(fields, place, method),
            parameters: self.parameters(fields["parameters"], at(place, "parameters"), method, ofModel: false)))
      }
    } else {
      modules = [Recipe.Module(slices: slices(fields, path, method))]
    }
    if modules.isEmpty || modules.contains(where: \.slices.isEmpty) { return nil }

    var recipe = Recipe(method: method, modules: modules)
    (recipe.parameters, recipe.merges) = (parameters, merges)
    recipe.base = fields["base_model"].flatMap { model($0, at(path, "base_model")) }
    let dtype = fields["dtype"].flatMap { self.dtype($0, at(path, "dtype")) }
    // Arithmetic is in float32 and rounds once; mergekit casts to dtype before it too, which only loses digits.
    recipe.dtype = fields["out_dtype"].flatMap { self.dtype($0, at(path, "out_dtype")) } ?? dtype
    if let node = fields["missing_tensors"], let text = text(node, at(path, "missing_tensors")) {
      let names = Recipe.MissingTensors.allCases.map(\.rawValue)
      recipe.missingTensors = Recipe.MissingTensors(rawValue: text) ?? .error
      if !names.contains(text) { report(node.place, at(path, "missing_tensors"), expected(text, names)) }
    }
    recipe.tokenizer = tokenizer(fields, path)
    if let node = fields["chat_template"] { recipe.chatTemplate = chatTemplate(node, at(path, "chat_template")) }
    requireWhatIsNeeded(recipe, node, path)
    let used = Set(([recipe] + merges.map(\.recipe)).flatMap(\.ownModels))
    for merge in merges where !used.contains(Recipe.Model(merge.name)) {
      notes.append("\(at(path, "merges")).\(merge.name): is none of the models, so it changes nothing")
    }
    recipe.notes = notes
    readData(fields, path, &recipe)
    return recipe
  }

  private mutating func slices(_ fields: [String: YAMLNode], _ path: String, _ method: MergeMethod) -> [Recipe.Slice] {
    if let node = fields["models"] {
      let sources = list(node, at(path, "models")).compactMap { source($0.node, $0.path, method, hasLayers: false) }
      if sources.isEmpty { report(node.place, at(path, "models"), "is empty; list the models to merge") }
      return [Recipe.Slice(sources: sources)]
    }
    guard let node = fields["slices"] else { return [] }
    let known = ["sources", "base_model", "parameters", "residual_weight"]
    let slices = list(node, at(path, "slices")).compactMap { item -> Recipe.Slice? in
      guard let fields = self.fields(item.node, item.path, known) else { return nil }
      guard let node = fields["sources"] else {
        report(item.node.place, item.path, "has no sources")
        return nil
      }
      if let weight = fields["residual_weight"] {
        let place = at(item.path, "residual_weight")
        if case .scalar(let text, isPlain: true) = weight.content, Double(text)?.isFinite == true {
          notes.append("\(place): mergekit reads it and makes no use of it, and so it is here")
        } else {
          report(weight.place, place, "is \(weight.kind); expected a number")
        }
      }
      let sources = list(node, at(item.path, "sources")).compactMap {
        source($0.node, $0.path, method, hasLayers: true)
      }
      if let first = sources.first?.layers, let other = sources.first(where: { $0.layers?.count != first.count }) {
        report(
          node.place, at(item.path, "sources"),
          "take \(first.count) and \(other.layers?.count ?? 0) layers; all sources of a slice have as many")
      }
      return Recipe.Slice(
        sources: sources, base: fields["base_model"].flatMap { model($0, at(item.path, "base_model")) },
        parameters: parameters(fields["parameters"], at(item.path, "parameters"), method, ofModel: false))
    }
    if slices.isEmpty { report(node.place, at(path, "slices"), "is empty; list the slices to put together") }
    return slices
  }

  private mutating func source(_ node: YAMLNode, _ path: String, _ method: MergeMethod, hasLayers: Bool)
    -> Recipe.Source?
  {
    let known = ["model", "parameters"] + (hasLayers ? ["layer_range"] : [])
    guard let fields = fields(node, path, known) else { return nil }
    guard let reference = fields["model"], let model = model(reference, at(path, "model")) else {
      if fields["model"] == nil { report(node.place, path, "names no model") }
      return nil
    }
    let parameters = parameters(fields["parameters"], at(path, "parameters"), method, ofModel: true)
    guard hasLayers else { return Recipe.Source(model, parameters: parameters) }
    let place = at(path, "layer_range")
    guard let node = fields["layer_range"] else {
      report(node.place, path, "has no layer_range; write [from, to], such as [0, 16]")
      return nil
    }
    let bounds = node.elements?.compactMap { element -> Int? in
      if case .scalar(let text, isPlain: true) = element.content { Int(text) } else { nil }
    }
    guard let bounds, bounds.count == 2, node.elements?.count == 2, bounds[0] >= 0, bounds[0] < bounds[1],
      bounds[1] <= 100_000
    else {
      report(node.place, place, "is \(node.kind); expected [from, to] with from below to, such as [0, 16]")
      return nil
    }
    return Recipe.Source(model, layers: bounds[0]..<bounds[1], parameters: parameters)
  }

  // MARK: Parameters

  private mutating func parameters(_ node: YAMLNode?, _ path: String, _ method: MergeMethod, ofModel: Bool)
    -> Recipe.Parameters
  {
    guard let node, !node.isNull, let entries = mapping(node, path) else { return [:] }
    var result: Recipe.Parameters = [:]
    for entry in entries {
      let place = at(path, entry.name)
      // How mergekit stores masks; it changes no result.
      if entry.name == "int8_mask" { continue }
      guard let parameter = method.parameters.first(where: { $0.name == entry.name }) else {
        let names = method.parameters.map(\.name)
        let guess = closest(to: entry.name, in: names).map { "did you mean `\($0)`?" }
        report(
          entry.place, place,
          "is no parameter of \(method.name); "
            + (guess ?? (names.isEmpty ? "it has none" : "it has \(names.joined(separator: ", "))")))
        continue
      }
      guard !ofModel || parameter.perModel else {
        report(entry.place, place, "is one value for all models; write it under `parameters` of the merge")
        continue
      }
      guard result[entry.name] == nil else {
        report(entry.place, place, "is given more than once")
        continue
      }
      if let value = value(entry.value, place, parameter) { result[entry.name] = value }
    }
    return result
  }

  private mutating func value(_ node: YAMLNode, _ path: String, _ parameter: MergeParameter, depth: Int = 0)
    -> Recipe.Value?
  {
    switch node.content {
    case .scalar: return number(node, path, parameter).map { .number($0) }
    case .mapping: return choice(node, path, parameter, depth).map { .choice([$0]) }
    case .sequence(let elements):
      guard let first = elements.first else {
        report(node.place, path, "is an empty list; expected \(parameter.range)")
        return nil
      }
      if case .mapping = first.content {
        return .choice(elements.enumerated().compactMap { choice($1, "\(path)[\($0)]", parameter, depth) })
      }
      let numbers = elements.enumerated().compactMap { number($1, "\(path)[\($0)]", parameter) }
      return numbers.count == elements.count ? .gradient(numbers) : nil
    }
  }

  private mutating func choice(_ node: YAMLNode, _ path: String, _ parameter: MergeParameter, _ depth: Int)
    -> Recipe.Value.Choice?
  {
    guard depth < 4, let fields = fields(node, path, ["filter", "value"]) else { return nil }
    guard let inner = fields["value"] else {
      report(node.place, path, "has no value")
      return nil
    }
    let filter = fields["filter"].flatMap { text($0, at(path, "filter")) }
    return value(inner, at(path, "value"), parameter, depth: depth + 1).map { .init(filter: filter, value: $0) }
  }

  private mutating func number(_ node: YAMLNode, _ path: String, _ parameter: MergeParameter) -> Double? {
    if case .scalar(let text, _) = node.content, let value = parameter.value(of: text), parameter.allows(value) {
      return value
    }
    report(node.place, path, "is \(node.kind); it must be \(parameter.range) (\(parameter.meaning))")
    return nil
  }

  // MARK: Names

  private mutating func method(_ node: YAMLNode?, _ parent: YAMLNode, _ path: String) -> MergeMethod? {
    guard let node, let name = text(node, at(path, "merge_method")) else {
      report(parent.place, at(path, "merge_method"), "is missing; it says how to merge, such as linear or ties")
      return nil
    }
    let names = methods.map(\.name)
    if let method = methods.first(where: { $0.name == name }) { return method }
    report(node.place, at(path, "merge_method"), expected(name, names))
    return nil
  }

  mutating func model(_ node: YAMLNode, _ path: String) -> Recipe.Model? {
    if case .mapping = node.content {
      let known = ["path", "revision", "model", "lora", "override_architecture"]
      guard let fields = fields(node, path, known) else { return nil }
      guard let inner = fields["model"] ?? fields["path"] else {
        report(node.place, path, "names no path")
        return nil
      }
      var result = model(inner, at(path, fields["model"] == nil ? "path" : "model"))
      if let revision = fields["revision"].flatMap({ text($0, at(path, "revision")) }) { result?.revision = revision }
      if let lora = fields["lora"].flatMap({ model($0, at(path, "lora")) }) { result?.lora = lora.description }
      return result
    }
    guard let text = text(node, path), !text.isEmpty else { return nil }
    if later.contains(text) {
      report(node.place, path, "is the merge \(text) itself or one after it; a merge takes those written above it")
    }
    return Recipe.Model(spelled: text)
  }

  private mutating func dtype(_ node: YAMLNode, _ path: String) -> DType? {
    guard let name = text(node, path) else { return nil }
    let plain = name.hasPrefix("torch.") ? String(name.dropFirst(6)) : name
    if let dtype = Self.dtypes[plain] { return dtype }
    report(node.place, path, expected(name, Self.dtypes.keys.sorted()))
    return nil
  }

  /// What methods that look at data are given.
  private mutating func readData(_ fields: [String: YAMLNode], _ path: String, _ recipe: inout Recipe) {
    let method = recipe.method
    for key in ["network", "data"] where method.data == .none {
      if let node = fields[key] {
        report(
          node.place, at(path, key),
          "is for methods that look at data, such as fisher; \(method.name) looks at weights alone")
      }
    }
    guard method.data != .none else { return }
    for key in ["slices", "modules", "merges", "tokenizer", "tokenizer_source", "dtype", "out_dtype"] {
      if let node = fields[key] {
        report(node.place, at(path, key), "does not go with \(method.name), which merges whole networks; leave it out")
      }
    }
    if !path.isEmpty, let node = fields["merge_method"] {
      report(
        node.place, at(path, "merge_method"), "is \(method.name), which looks at data and can be no part of a merge")
    }
    if let node = fields["network"] { recipe.network = choices(node, at(path, "network")) }
    guard let node = fields["data"] else { return }
    if node.elements == nil {
      recipe.data = [choices(node, at(path, "data"))]
    } else {
      recipe.data = list(node, at(path, "data")).map { choices($0.node, $0.path) }
      let models = recipe.modules.first?.slices.first?.sources.count ?? 0
      if recipe.data.count != 1, recipe.data.count != models {
        report(
          node.place, at(path, "data"), "has \(recipe.data.count) datasets for \(models) models; give one, or one each")
      }
    }
  }

  /// A name, or a mapping with a name and what else is chosen, as a study has them; values as YAML.
  private mutating func choices(_ node: YAMLNode, _ path: String) -> [String: String] {
    func yaml(_ node: YAMLNode) -> String? {
      if let elements = node.elements {
        let values = elements.compactMap(yaml)
        return values.count == elements.count ? "[\(values.joined(separator: ", "))]" : nil
      }
      guard case .scalar(let text, let isPlain) = node.content else { return nil }
      return isPlain ? text : "'" + text.replacing("'", with: "''") + "'"
    }
    if node.elements == nil, let name = yaml(node), !node.isNull { return ["name": name] }
    var result: [String: String] = [:]
    for entry in mapping(node, path) ?? [] {
      if let value = yaml(entry.value) {
        result[entry.name] = value
      } else {
        report(entry.value.place, at(path, entry.name), "is \(entry.value.kind); expected a value or a list of values")
      }
    }
    return result
  }

  // MARK: Forms

  mutating func report(_ place: YAMLNode.Place, _ path: String, _ message: String) {
    if problems.count < 100 { problems.append(YAMLProblem(place: place, keyPath: path, message: message)) }
  }

  func at(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  func expected(_ found: String, _ names: [String]) -> String {
    let guess = closest(to: found, in: names).map { "; did you mean `\($0)`?" } ?? ""
    return "is \"\(found.shortened)\"; expected one of \(names.joined(separator: ", "))\(guess)"
  }

  mutating func mapping(_ node: YAMLNode, _ path: String) -> [YAMLNode.Entry]? {
    if node.entries == nil { report(node.place, path, "is \(node.kind); expected a mapping") }
    return node.entries
  }

  mutating func list(_ node: YAMLNode, _ path: String) -> [(node: YAMLNode, path: String)] {
    guard let elements = node.elements else {
      report(node.place, path, "is \(node.kind); expected a list")
      return []
    }
    return elements.enumerated().map { ($1, "\(path)[\($0)]") }
  }

  mutating func text(_ node: YAMLNode, _ path: String) -> String? {
    if case .scalar(let text, _) = node.content, !node.isNull { return text }
    report(node.place, path, "is \(node.kind); expected a text")
    return nil
  }

  /// The values of a mapping that are not null, by key; unknown and repeated keys are reported.
  ///
  /// - Parameter parameters: what stands elsewhere and might be meant
  mutating func fields(_ node: YAMLNode, _ path: String, _ known: [String], parameters: [String] = [])
    -> [String: YAMLNode]?
  {
    guard let entries = mapping(node, path) else { return nil }
    var result: [String: YAMLNode] = [:]
    var seen: Set<String> = []
    for entry in entries {
      if !known.contains(entry.name) {
        let guess =
          closest(to: entry.name, in: known).map { "did you mean `\($0)`?" }
          ?? closest(to: entry.name, in: parameters).map { "did you mean `\($0)`? It stands under `parameters`" }
        report(
          entry.place, at(path, entry.name),
          "is not a key here; " + (guess ?? "expected one of \(known.joined(separator: ", "))"))
      } else if !seen.insert(entry.name).inserted {
        report(entry.place, at(path, entry.name), "is given more than once")
      } else if !entry.value.isNull {
        result[entry.name] = entry.value
      }
    }
    return result
  }
}
