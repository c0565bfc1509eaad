import Support
import Schema

extension Recipe {
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
