import Foundation
import Search
import Schema

/// One range of a recipe.
struct RecipeRange: Sendable {
  var dimension: SearchSpace.Dimension
  /// Where it stands: positions among the entries or elements, from the root on.
  var path: [Int]
  var place: YAMLNode.Place
  /// What is chosen from; empty for numbers.
  var choices: [String]
  var isMethod: Bool

  /// A value as the recipe has it: five digits are more than an evaluation can tell apart.
  func text(_ value: Double) -> String {
    switch dimension.kind {
    case .choice: return choices.indices.contains(Int(value)) ? choices[Int(value)] : ""
    case .integer: return String(Int(value))
    case .number:
      let text = String(format: "%.5g", value)
      // Exponents without a point are texts to some readers of YAML.
      guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return text }
      return text[..<exponent] + ".0" + text[exponent...]
    }
  }

  func node(_ value: Double) -> YAMLNode { YAMLNode(content: .scalar(text(value), isPlain: true), place: place) }
}
