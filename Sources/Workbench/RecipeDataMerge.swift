import DataMerging
import Foundation
import Merging
import Studies

extension CheckpointDataMerge {
  /// What a recipe asks for; nil where its method looks at weights alone.
  ///
  /// - Parameters:
  ///   - folder: where the recipe lies, for models that are named relative to it
  ///   - source: names network and data in the place of the recipe's `network` and `data`
  ///   - datasets: settings of the data in the place of the recipe's `data`
  /// - Throws: `WorkbenchError` for a recipe that asks for more than such a method can do.
  public init?(
    _ recipe: Recipe, relativeTo folder: String, from source: RunSource = RunSource(), datasets: [[Setting]] = []
  ) throws {
    guard let method = DataMethod.named(recipe.method.name) else { return nil }
    let name = method.declaration.name
    func located(_ model: Recipe.Model) throws -> String {
      guard model.lora == nil, model.revision == nil else {
        throw WorkbenchError("\(model): \(name) takes files and folders, without adapter or revision")
      }
      let beside = folder + "/" + model.path
      return !FileManager.default.fileExists(atPath: model.path) && FileManager.default.fileExists(atPath: beside)
        ? beside : model.path
    }
    let sources = recipe.modules[0].slices[0].sources.filter { $0.model != recipe.base }
    var texts: [String: String] = [:]
    for parameter in method.declaration.parameters {
      func text(_ value: Recipe.Value) throws -> String {
        guard case .number(let number) = value else {
          throw WorkbenchError("\(parameter.name): \(name) takes one value, no gradient and no filter")
        }
        return parameter.text(of: number)
      }
      let shared = try recipe.parameters[parameter.name].map(text)
      let own = try sources.map { try $0.parameters[parameter.name].map(text) ?? shared }
      texts[parameter.name] =
        own.allSatisfy { $0 == shared }
        ? shared : own.map { $0 ?? parameter.defaultText }.joined(separator: ",")
    }
    func settings(_ prefix: String, _ values: [String: String]) -> [Setting] {
      values.sorted { $0.key < $1.key }.map { Setting(key: "\(prefix).\($0.key)", value: $0.value) }
    }
    var source = source
    if !source.namesModel { source.settings += settings("model", recipe.network) }
    self.init(
      method, models: try sources.map { try located($0.model) }, base: try recipe.base.map(located),
      parameters: texts, from: source,
      datasets: datasets.isEmpty ? recipe.data.map { settings("dataset", $0) } : datasets)
  }
}
