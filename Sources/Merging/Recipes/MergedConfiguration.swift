import Foundation
import Support
import Torch

/// A donor's `config.json`, changed where the result differs. All else stays to the letter, as far as possible.
struct MergedConfiguration {
  private(set) var text: String

  init(_ text: String) { self.text = text }

  /// Where networks of several parts describe the part for language.
  private static let parts = ["text_config", "llm_config", "language_config"]
  private static let layerCounts = ["num_hidden_layers", "n_layer", "n_layers", "num_layers"]

  mutating func setType(_ type: DType) {
    for key in ["torch_dtype", "dtype"] { replace("(\"\(key)\"\\s*:\\s*)\"[a-z0-9_]*\"", by: "\"\(type)\"") }
  }

  mutating func setVocabulary(_ rows: Int) { set("vocab_size", to: rows) }

  /// - Parameter order: which of the donor's layers each of the result's is
  mutating func setLayers(_ order: [Int]) {
    for key in Self.layerCounts { set(key, to: order.count) }
    edit { part in
      guard let types = part["layer_types"]?.elements, order != Array(types.indices) else { return false }
      guard order.allSatisfy(types.indices.contains) else { return false }
      part["layer_types"] = .array(order.map { types[$0] })
      return true
    }
  }

  private mutating func replace(_ pattern: String, by value: String) {
    text = text.replacingOccurrences(of: pattern, with: "$1\(value)", options: .regularExpression)
  }

  /// Sets a number where only one can be meant, or else that of the whole network or its part for language: vision has
  /// layers of its own.
  private mutating func set(_ key: String, to value: Int) {
    let pattern = "(\"\(key)\"\\s*:\\s*)[0-9]+"
    if !text.contains("_config\"") { return replace(pattern, by: String(value)) }
    edit { part in
      guard part[key]?.integer != nil else { return false }
      part[key] = .number(value)
      return true
    }
  }

  /// Changes the whole or else the part for language, the first of them where `change` finds what to change.
  private mutating func edit(_ change: (inout JSON) -> Bool) {
    guard var whole = try? JSON(Data(text.utf8)) else { return }
    if !change(&whole) {
      let changed = Self.parts.contains { name in
        guard var part = whole[name], change(&part) else { return false }
        whole[name] = part
        return true
      }
      guard changed else { return }
    }
    text = String(decoding: whole.data(), as: UTF8.self)
  }
}
