import DataMerging
import Merging

/// Prints the merge methods of these names, or all, as they declare themselves.
func printMethods(_ names: [String] = [], json: Bool) throws {
  let methods =
    try names.isEmpty
    ? DataMethod.declarations : names.map { try MergeMethod.named($0, among: DataMethod.declarations) }
  struct Listed: Encodable {
    let name, summary: String
    let source: String?
    let base: MergeMethod.Base
    let data: MergeMethod.Data
    let minimumModels: Int
    let maximumModels: Int?
    let random: Bool
    let parameters: [MergeParameter]
  }
  if json {
    return try printJSON(
      methods.map {
        Listed(
          name: $0.name, summary: $0.summary, source: $0.source, base: $0.base, data: $0.data,
          minimumModels: $0.minimumModels, maximumModels: $0.maximumModels, random: $0.isRandom,
          parameters: $0.parameters)
      })
  }
  for method in methods {
    let base = [.none: "no base", .optional: "base optional", .required: "needs --base"][method.base] ?? ""
    print("\(method.name): \(method.summary)")
    let data =
      [
        .examples: ", looks at data (--model, --data)",
        .labelledExamples: ", looks at data with labels (--model, --data)",
      ][method.data] ?? ""
    print("  \(method.modelCount), \(base)\(data)\(method.isRandom ? ", random (--seed)" : "")")
    if let source = method.source { print("  \(source)") }
    for parameter in method.parameters {
      let each = parameter.perModel ? ", or one per model" : ""
      print("  \(parameter.name)  \(parameter.range)\(each) (default: \(parameter.defaultText)): \(parameter.meaning)")
    }
    print()
  }
  print("W₀ is the base, Wᵢ a model, wᵢ its weight, δᵢ = Wᵢ − W₀ its task vector.")
}
