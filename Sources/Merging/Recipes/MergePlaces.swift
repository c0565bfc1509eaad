/// Which tensors a merge has, and where each of its inputs has its counterpart.
extension MergePlanner {
  /// A tensor of the result and where each source has its counterpart.
  struct Place {
    var name: String
    var slice: Recipe.Slice
    var module: Recipe.Module
    /// By the source's position.
    var names: [String]
    var baseName: String
    var t: Double
  }

  /// All tensors of all sources under their own names.
  func whole(_ module: Recipe.Module, _ recipe: Recipe) -> [Place] {
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

  /// The tensors of a recipe of several modules that none of them names, in their order.
  func outsideModules(_ recipe: Recipe) -> [String] {
    guard recipe.modules.count > 1 else { return [] }
    var seen: Set<String> = []
    return recipe.ownModels.flatMap { inputs[$0]?.names ?? [] }.filter { name in
      !recipe.modules.contains { belongs(name, to: $0, recipe) } && seen.insert(name).inserted
    }
  }

  // MARK: Layers

  /// The layers of the slices, numbered anew; before them what the first slice's inputs have besides layers, after them what the
  /// last one's have.
  mutating func layered(_ module: Recipe.Module, _ recipe: Recipe) throws -> [Place] {
    guard let first = module.slices.first, let last = module.slices.last else { return [] }
    let part = recipe.modules.count > 1 ? module.name : nil
    for source in module.slices.flatMap(\.sources) {
      let count = try input(source.model).stack(in: part)?.count ?? 0
      guard let range = source.layers, range.upperBound <= count else {
        let text = source.layers.map { "[\($0.lowerBound), \($0.upperBound)]" } ?? ""
        throw MergeError(
          "\(source.model) has \(count) layers\(part.map { " in \($0)" } ?? ""); layer_range \(text) asks for more")
      }
    }
    var places = try outside(first, module, recipe, isFirst: true)
    var order: [Int] = []
    for slice in module.slices {
      guard let range = slice.sources.first?.layers else { continue }
      for offset in 0..<range.count {
        places += try layer(offset, of: slice, as: order.count, module, recipe, part)
        order.append(range.lowerBound + offset)
      }
    }
    places += try outside(last, module, recipe, isFirst: false)
    if part == nil { layerOrder = order }

    // What neither end of the network has is taken where it is.
    var known = Set(places.map(\.name))
    for slice in module.slices {
      for isFirst in [true, false] {
        for place in try outside(slice, module, recipe, isFirst: isFirst) where known.insert(place.name).inserted {
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
    return places
  }

  /// The inputs of a slice: its sources, and the base where the method has one.
  private func inputs(of slice: Recipe.Slice, _ recipe: Recipe) throws -> [(input: Input, source: Recipe.Source?)] {
    try slice.sources.map { (try input($0.model), $0) }
      + (roles(slice, recipe).base.map { [(try input($0), nil)] } ?? [])
  }

  /// What the inputs of a slice have besides layers, all of them together.
  private func outside(_ slice: Recipe.Slice, _ module: Recipe.Module, _ recipe: Recipe, isFirst: Bool) throws
    -> [Place]
  {
    let part = recipe.modules.count > 1 ? module.name : nil
    var seen: Set<String> = []
    var places: [Place] = []
    for (input, _) in try inputs(of: slice, recipe) {
      let prefix = input.stack(in: part)?.prefix
      for name in input.names where belongs(name, to: module, recipe) && Self.isBefore(name) == isFirst {
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
  private func layer(
    _ offset: Int, of slice: Recipe.Slice, as number: Int, _ module: Recipe.Module, _ recipe: Recipe, _ part: String?
  ) throws -> [Place] {
    let inputs = try inputs(of: slice, recipe)
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

  /// Whether a tensor outside the layers comes before them: embeddings and what stands in their place in vision.
  private static func isBefore(_ name: String) -> Bool {
    let words = ["embed", "wte", "wpe", "patch", "cls_token", "class_token", "stem", "pre_layrnorm", "rotary"]
    return words.contains { name.contains($0) }
  }
}
