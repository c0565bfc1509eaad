import Schema

/// What a method cannot do without, and what it is called.
extension RecipeReader {
  /// Reports a missing base, and parameters without a default that stand nowhere.
  func requireWhatIsNeeded(_ recipe: Recipe, _ node: YAMLNode, _ path: String) {
    let method = recipe.method
    let slices = recipe.modules.flatMap(\.slices)
    if method.base == .required, recipe.base == nil, slices.contains(where: { $0.base == nil }) {
      report(
        node.place, at(path, "base_model"),
        "is missing; \(method.name) needs the base: the weights that the models were fine-tuned from")
    }
    let given =
      [recipe.parameters] + recipe.modules.map(\.parameters) + slices.map(\.parameters)
      + slices.flatMap(\.sources).map(\.parameters)
    for parameter in method.parameters
    where parameter.defaultValue == nil && !given.contains(where: { $0[parameter.name] != nil }) {
      report(
        node.place, at(path, "parameters.\(parameter.name)"),
        "is missing; \(method.name) needs it, \(parameter.range): \(parameter.meaning)")
    }
  }

  /// The parameters of the method that a recipe names.
  func parameterNames(_ node: YAMLNode) -> [String] {
    let name = node.entries?.first { $0.name == "merge_method" }?.value.content
    guard case .scalar(let text, _)? = name else { return [] }
    return methods.first { $0.name == text }?.parameters.map(\.name) ?? []
  }
}
