import Support
import Torch
import Schema

/// Reads a recipe out of YAML and collects what is wrong instead of stopping at the first mistake.
struct RecipeReader {
  private let reader = SchemaReader()
  private var notes: [String] = []
  /// Merges that are not read yet: no model may be one of them.
  private var later: Set<String> = []
  let methods: [MergeMethod]

  init(_ methods: [MergeMethod] = MergeMethod.all) { self.methods = methods }

  var problems: [YAMLProblem] { reader.problems }

  /// The recipe in `node`; nil where a mistake leaves none. `earlier` names the merges that may be inputs.
  mutating func recipe(_ node: YAMLNode, _ path: String, earlier: [String]) -> Recipe? {
    guard let form = form(RecipeForm.section, node, path, parameters: parameterNames(node)) else { return nil }
    var merges: [(name: String, recipe: Recipe)] = []
    let entries = form.merges.flatMap { mapping($0, at(path, "merges")) } ?? []
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
    guard let method = method(form.method, node, path) else { return nil }
    let parameters = parameters(form.parameters, at(path, "parameters"), method, ofModel: false)
    let forms = [("models", form.models), ("slices", form.slices), ("modules", form.modules)]
      .filter { $0.1 != nil }.map(\.0)
    guard forms.count == 1 else {
      report(
        node.place, path,
        "has \(forms.isEmpty ? "none" : forms.joined(separator: " and ")) of models, slices, modules; "
          + "one of them is needed"
      )
      return nil
    }
    var modules: [Recipe.Module] = []
    if let node = form.modules {
      for entry in mapping(node, at(path, "modules")) ?? [] {
        let place = at(at(path, "modules"), entry.name)
        guard let form = self.form(ModuleForm.section, entry.value, place) else { continue }
        guard (form.models == nil) != (form.slices == nil) else {
          report(entry.place, place, "needs either models or slices")
          continue
        }
        modules.append(
          Recipe.Module(
            name: entry.name, slices: slices(form.models, form.slices, place, method),
            parameters: self.parameters(form.parameters, at(place, "parameters"), method, ofModel: false)))
      }
    } else {
      modules = [Recipe.Module(slices: slices(form.models, form.slices, path, method))]
    }
    if modules.isEmpty || modules.contains(where: \.slices.isEmpty) { return nil }

    var recipe = Recipe(method: method, modules: modules)
    (recipe.parameters, recipe.merges) = (parameters, merges)
    recipe.base = form.base.flatMap { model($0, at(path, "base_model")) }
    // Arithmetic is in float32 and rounds once; mergekit casts to dtype before it too, which only loses digits.
    recipe.dtype = form.outDtype ?? form.dtype
    recipe.missingTensors = form.missingTensors
    recipe.tokenizer = tokenizer(form, path)
    recipe.chatTemplate = form.chatTemplate.flatMap { chatTemplate($0, at(path, "chat_template")) }
    requireWhatIsNeeded(recipe, node, path)
    let used = Set(([recipe] + merges.map(\.recipe)).flatMap(\.ownModels))
    for merge in merges where !used.contains(Recipe.Model(merge.name)) {
      notes.append("\(at(path, "merges")).\(merge.name): is none of the models, so it changes nothing")
    }
    recipe.notes = notes
    readData(form, node, path, &recipe)
    return recipe
  }

  private mutating func slices(_ models: YAMLNode?, _ slices: YAMLNode?, _ path: String, _ method: MergeMethod)
    -> [Recipe.Slice]
  {
    if let models {
      let sources = list(models, at(path, "models")).compactMap {
        source($0.node, $0.path, method, isOfSlice: false)
      }
      if sources.isEmpty { report(models.place, at(path, "models"), "is empty; list the models to merge") }
      return [Recipe.Slice(sources: sources)]
    }
    guard let slices else { return [] }
    var result: [Recipe.Slice] = []
    for item in list(slices, at(path, "slices")) {
      if let slice = slice(item.node, item.path, method) { result.append(slice) }
    }
    if result.isEmpty { report(slices.place, at(path, "slices"), "is empty; list the slices to put together") }
    return result
  }

  private mutating func slice(_ node: YAMLNode, _ path: String, _ method: MergeMethod) -> Recipe.Slice? {
    guard let form = form(SliceForm.section, node, path) else { return nil }
    guard let list = form.sources else {
      report(node.place, path, "has no sources")
      return nil
    }
    if form.residualWeight != nil {
      notes.append("\(at(path, "residual_weight")): mergekit reads it and makes no use of it, and so it is here")
    }
    let sources = self.list(list, at(path, "sources")).compactMap {
      source($0.node, $0.path, method, isOfSlice: true)
    }
    if let first = sources.first?.layers, let other = sources.first(where: { $0.layers?.count != first.count }) {
      report(
        list.place, at(path, "sources"),
        "take \(first.count) and \(other.layers?.count ?? 0) layers; all sources of a slice have as many")
    }
    return Recipe.Slice(
      sources: sources, base: form.base.flatMap { model($0, at(path, "base_model")) },
      parameters: parameters(form.parameters, at(path, "parameters"), method, ofModel: false))
  }

  private func source(_ node: YAMLNode, _ path: String, _ method: MergeMethod, isOfSlice: Bool) -> Recipe.Source? {
    let before = problems.count
    guard let form = form(isOfSlice ? SourceForm.ofSlice : SourceForm.section, node, path) else { return nil }
    guard let reference = form.model, let model = model(reference, at(path, "model")) else {
      if form.model == nil { report(node.place, path, "names no model") }
      return nil
    }
    let parameters = parameters(form.parameters, at(path, "parameters"), method, ofModel: true)
    if isOfSlice, form.layers == nil {
      if problems.count == before { report(node.place, path, "has no layer_range; write [from, to], such as [0, 16]") }
      return nil
    }
    return Recipe.Source(model, layers: form.layers, parameters: parameters)
  }

  // MARK: Parameters

  private func parameters(_ node: YAMLNode?, _ path: String, _ method: MergeMethod, ofModel: Bool)
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

  private func value(_ node: YAMLNode, _ path: String, _ parameter: MergeParameter, depth: Int = 0)
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

  private func choice(_ node: YAMLNode, _ path: String, _ parameter: MergeParameter, _ depth: Int)
    -> Recipe.Value.Choice?
  {
    guard depth < 4, let form = form(ChoiceForm.section, node, path) else { return nil }
    guard let inner = form.value else {
      report(node.place, path, "has no value")
      return nil
    }
    return value(inner, at(path, "value"), parameter, depth: depth + 1).map { .init(filter: form.filter, value: $0) }
  }

  private func number(_ node: YAMLNode, _ path: String, _ parameter: MergeParameter) -> Double? {
    if case .scalar(let text, _) = node.content, let value = parameter.value(of: text), parameter.allows(value) {
      return value
    }
    report(node.place, path, "is \(node.kind); it must be \(parameter.range) (\(parameter.meaning))")
    return nil
  }

  // MARK: Names

  private func method(_ node: YAMLNode?, _ parent: YAMLNode, _ path: String) -> MergeMethod? {
    guard let node else {
      report(parent.place, at(path, "merge_method"), "is missing; it says how to merge, such as linear or ties")
      return nil
    }
    let name = Kind<String>.word(of: methods.map(\.name)).read(node, reader, at: at(path, "merge_method"))
    return methods.first { $0.name == name }
  }

  func model(_ node: YAMLNode, _ path: String) -> Recipe.Model? {
    if node.entries != nil {
      guard let form = form(ModelForm.section, node, path) else { return nil }
      guard let inner = form.model ?? form.path else {
        report(node.place, path, "names no path")
        return nil
      }
      var result = model(inner, at(path, form.model == nil ? "path" : "model"))
      if let revision = form.revision { result?.revision = revision }
      if let lora = form.lora.flatMap({ model($0, at(path, "lora")) }) { result?.lora = lora.description }
      return result
    }
    guard let text = text(node, path), !text.isEmpty else { return nil }
    if later.contains(text) {
      report(node.place, path, "is the merge \(text) itself or one after it; a merge takes those written above it")
    }
    return Recipe.Model(spelled: text)
  }

  /// What methods that look at data are given.
  private func readData(_ form: RecipeForm, _ root: YAMLNode, _ path: String, _ recipe: inout Recipe) {
    let method = recipe.method
    /// Reports each of these keys that is given.
    func refuse(_ keys: [String], _ message: String) {
      for entry in root.entries ?? [] where keys.contains(entry.name) && !entry.value.isNull {
        report(entry.value.place, at(path, entry.name), message)
      }
    }
    guard method.data != .none else {
      return refuse(
        ["network", "data"],
        "is for methods that look at data, such as fisher; \(method.name) looks at weights alone")
    }
    refuse(
      ["slices", "modules", "merges", "tokenizer", "tokenizer_source", "dtype", "out_dtype"],
      "does not go with \(method.name), which merges whole networks; leave it out")
    if !path.isEmpty {
      refuse(["merge_method"], "is \(method.name), which looks at data and can be no part of a merge")
    }
    if let node = form.network { recipe.network = choices(node, at(path, "network")) }
    guard let node = form.data else { return }
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
  private func choices(_ node: YAMLNode, _ path: String) -> [String: String] {
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

  func report(_ place: YAMLNode.Place, _ path: String, _ message: String) { reader.report(place, path, message) }

  func at(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  func mapping(_ node: YAMLNode, _ path: String) -> [YAMLNode.Entry]? {
    node.entries ?? reader.refuse(node, path, expected: "a mapping")
  }

  func list(_ node: YAMLNode, _ path: String) -> [(node: YAMLNode, path: String)] {
    let elements: [YAMLNode] = node.elements ?? reader.refuse(node, path, expected: "a list") ?? []
    return elements.enumerated().map { ($1, "\(path)[\($0)]") }
  }

  func text(_ node: YAMLNode, _ path: String) -> String? { Kind<String>.text.read(node, reader, at: path) }

  func word(_ node: YAMLNode, _ path: String, of names: [String], other: String) -> String? {
    Kind<String>.word(of: names, other: other).read(node, reader, at: path)
  }

  /// What a mapping holds; unknown keys and wrong values are reported.
  ///
  /// - Parameter parameters: what stands elsewhere and might be meant
  func form<Form>(_ section: Section<Form>, _ node: YAMLNode, _ path: String, parameters: [String] = []) -> Form? {
    guard mapping(node, path) != nil else { return nil }
    let fields = Fields(node, at: path, keys: section.declarations, reader: reader) { word in
      closest(to: word, in: parameters).map { "did you mean `\($0)`? It stands under `parameters`" }
    }
    return section.read(fields)
  }
}
