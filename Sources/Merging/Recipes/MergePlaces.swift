/// Which tensors a module of a merge's result has, and where each input has its counterpart.
struct MergePlaces {
  /// A tensor of the result and where each source has its counterpart.
  struct Place {
    var name: String
    var slice: Recipe.Slice
    var module: Recipe.Module
    /// By the source's position.
    var names: [String]
    var baseName: String
    /// The depth at which gradients are read: 0 for the first layer of the slice, 1 for the last.
    var t: Double
  }

  private let module: Recipe.Module
  private let recipe: Recipe
  private let inputs: [Recipe.Model: ModelTensors]
  /// In the order of the result.
  private(set) var places: [Place] = []
  /// What is wrong, a sentence for each tensor.
  private(set) var problems: [String] = []
  /// Tensors that only some inputs have and that are taken from these, because the recipe says so.
  private(set) var copied: [String] = []
  /// Tensors that only some inputs have and that are left out, because the recipe says so.
  private(set) var dropped: [String] = []
  /// Where the layers of the whole network are put together: which of the first source's each of the result's is.
  private(set) var layerOrder: [Int]?

  /// - Throws: `MergeError` for layers that a model does not have.
  init(_ module: Recipe.Module, of recipe: Recipe, _ inputs: [Recipe.Model: ModelTensors]) throws {
    (self.module, self.recipe, self.inputs) = (module, recipe, inputs)
    if module.isWhole { findWhole() } else { try findLayers() }
  }

  /// The module's name among the parts of tensors' names; nil for the whole network.
  private var part: String? { recipe.modules.count > 1 ? module.name : nil }

  /// All tensors of all sources under their own names.
  private mutating func findWhole() {
    guard let slice = module.slices.first else { return }
    let models = (recipe.base.map { [$0] } ?? []) + slice.sources.map(\.model)
    var names: [String] = []
    var seen: Set<String> = []
    for model in models {
      for name in inputs[model]?.names ?? [] where recipe.has(name, in: module) && seen.insert(name).inserted {
        names.append(name)
      }
    }
    let stacks = LayerStack.all(names)
    places = names.map { name in
      // Embedding, final norm and head take a gradient's first value, as in mergekit.
      var t = 0.0
      if let place = LayerStack.place(of: name), let count = stacks[place.prefix]?.count {
        t = count > 1 ? Double(place.layer) / Double(count - 1) : 1
      }
      return Place(
        name: name, slice: slice, module: module, names: slice.sources.map { _ in name }, baseName: name, t: t)
    }
  }

  // MARK: Layers

  /// The layers of the slices, numbered anew. What the first slice's inputs have before their layers comes first, and
  /// what the last one's have after theirs comes last.
  private mutating func findLayers() throws {
    guard let first = module.slices.first, let last = module.slices.last else { return }
    for source in module.slices.flatMap(\.sources) {
      let count = try inputs.required(source.model).stack(in: part)?.count ?? 0
      guard let range = source.layers, range.upperBound <= count else {
        let text = source.layers.map { "[\($0.lowerBound), \($0.upperBound)]" } ?? ""
        throw MergeError(
          "\(source.model) has \(count) layers\(part.map { " in \($0)" } ?? ""); layer_range \(text) asks for more")
      }
    }
    places = try outside(first, isFirst: true)
    var order: [Int] = []
    for slice in module.slices {
      guard let range = slice.sources.first?.layers else { continue }
      for offset in 0..<range.count {
        places += try layer(offset, of: slice, as: order.count)
        order.append(range.lowerBound + offset)
      }
    }
    places += try outside(last, isFirst: false)
    if part == nil { layerOrder = order }

    // What neither end of the network has is taken where it is.
    var known = Set(places.map(\.name))
    for slice in module.slices {
      for isFirst in [true, false] {
        for place in try outside(slice, isFirst: isFirst) where known.insert(place.name).inserted {
          let (end, which) = isFirst ? (first, "first") : (last, "last")
          switch recipe.missingTensors {
          case .error:
            problems.append(
              "\(place.name): is missing in \(end.sources.map { "\($0.model)" }.joined(separator: ", ")), the \(which) "
                + "slice, that it would come from; missing_tensors: copy or drop says what to do")
          case .drop: dropped.append(place.name)
          case .copy:
            copied.append(place.name)
            places.append(place)
          }
        }
      }
    }
  }

  /// The inputs of a slice: its sources, and the base where the method has one.
  private func inputs(of slice: Recipe.Slice) throws -> [(input: ModelTensors, source: Recipe.Source?)] {
    try slice.sources.map { (try inputs.required($0.model), $0) }
      + (recipe.roles(of: slice).base.map { [(try inputs.required($0), nil)] } ?? [])
  }

  /// What the inputs of a slice have besides layers, all of them together.
  private func outside(_ slice: Recipe.Slice, isFirst: Bool) throws -> [Place] {
    var seen: Set<String> = []
    var places: [Place] = []
    for (input, _) in try inputs(of: slice) {
      let prefix = input.stack(in: part)?.prefix
      for name in input.names where recipe.has(name, in: module) && Self.isBefore(name) == isFirst {
        if let place = LayerStack.place(of: name), place.prefix == prefix { continue }
        guard seen.insert(name).inserted else { continue }
        places.append(
          Place(
            name: name, slice: slice, module: module, names: slice.sources.map { _ in name }, baseName: name, t: 0))
      }
    }
    return places
  }

  /// A layer of a slice as the result's layer `number`: every tensor that any of its inputs has there.
  private func layer(_ offset: Int, of slice: Recipe.Slice, as number: Int) throws -> [Place] {
    let inputs = try inputs(of: slice)
    guard let first = slice.sources.first, let range = first.layers, let stack = inputs[0].input.stack(in: part) else {
      return []
    }
    let own = range.lowerBound + offset
    let numbers = inputs.map { $0.source?.layers.map { $0.lowerBound + offset } ?? own }
    var seen: Set<String> = []
    let rests = zip(inputs, numbers).flatMap { $0.input.parts(ofLayer: $1, in: part) }.filter {
      seen.insert($0).inserted
    }
    return rests.map { rest in
      let names = zip(inputs, numbers).map { $0.input.stack(in: part)?.name($1, rest) ?? "" }
      return Place(
        name: stack.name(number, rest), slice: slice, module: module, names: Array(names.prefix(slice.sources.count)),
        baseName: names.count > slice.sources.count ? names[slice.sources.count] : names[0],
        t: range.count > 1 ? Double(offset) / Double(range.count - 1) : 1)
    }
  }

  /// Whether a tensor outside the layers comes before them: embeddings, and what takes their place in vision.
  private static func isBefore(_ name: String) -> Bool {
    let words = ["embed", "wte", "wpe", "patch", "cls_token", "class_token", "stem", "pre_layrnorm", "rotary"]
    return words.contains { name.contains($0) }
  }
}
