import Checkpoints
import Foundation
import Support

/// The vocabulary that a merge's result gets, and whose embedding's row each of its tokens gets.
struct VocabularyPlan {
  let target: Vocabulary
  /// The models' own, by the recipe's names.
  let vocabularies: [Recipe.Model: Vocabulary]
  let base: Recipe.Model?
  /// Rows of the result's embeddings.
  let rowCount: Int
  private let rules: [Vocabulary.Token: Recipe.Tokenizer.Rule]

  /// - Parameters:
  ///   - vocabularies: of all models whose embeddings are merged
  ///   - source: the vocabulary of the model that the recipe names as the tokenizer's source
  /// - Throws: `MergeError` for tokens that the result does not have, and for vocabularies without a union.
  init(
    _ tokenizer: Recipe.Tokenizer, vocabularies: [Recipe.Model: Vocabulary], order: [Recipe.Model],
    base: Recipe.Model?, source: Vocabulary?
  ) throws {
    let models = (base.map { [$0] } ?? []) + order.filter { $0 != base }
    let all = models.compactMap { vocabularies[$0] }
    guard let first = source ?? all.first else { throw MergeError("no model has a tokenizer.json") }
    target = tokenizer.source == .union ? try first.union(Array(all.dropFirst())) : first
    (self.vocabularies, self.base) = (vocabularies, base)
    var rules: [Vocabulary.Token: Recipe.Tokenizer.Rule] = [:]
    for (text, rule) in tokenizer.tokens {
      guard target.ids[Array(text.utf8)] != nil else {
        throw MergeError("tokenizer.tokens: \(JSON.quoted(text)) is no token of the result")
      }
      rules[Array(text.utf8)] = rule
    }
    self.rules = rules
    let unit = max(1, tokenizer.padding ?? 1)
    rowCount = (target.size + unit - 1) / unit * unit
  }

  /// Whether a tensor has a row for each token, by its name and the tensor's length in each model.
  func concerns(_ name: String, _ operands: [(model: Recipe.Model, operand: any Operand)]) -> Bool {
    Self.isVocabulary(name)
      && operands.allSatisfy { model, operand in
        // Padding rows are common, and so is a token or two that have none.
        guard let rows = operand.shape.first, let size = vocabularies[model]?.size else { return false }
        return rows + 64 >= size
      }
  }

  static func isVocabulary(_ name: String) -> Bool {
    [
      "embed_tokens", "wte", "lm_head", "embed_out", "embed_in", "word_embeddings", "tok_embeddings", "output.weight",
      "shared.weight", "token_embedding", "decoder.bias",
    ].contains { name.contains($0) }
  }

  /// The operands with the rows of the result's vocabulary; as they are where that changes nothing.
  ///
  /// - Throws: `MergeError` for a token that no model has.
  func rearranged(_ name: String, _ entries: [(model: Recipe.Model, operand: any Operand)]) throws
    -> [any Operand]
  {
    let operands = entries.map(\.operand)
    let own = entries.map { vocabularies[$0.model]?.ids ?? [:] }
    let isSame =
      rules.isEmpty && own.allSatisfy { $0 == target.ids }
      && operands.allSatisfy { $0.shape == operands[0].shape && ($0.shape.first ?? 0) >= rowCount }
    // Where all agree, padding rows may stay.
    if isSame, operands.allSatisfy({ ($0.shape.first ?? 0) == rowCount || rowCount == target.size }) { return operands }
    func place(_ index: Int, _ id: Int?) -> RearrangedRows.Place? {
      guard let id, id < operands[index].shape.first ?? 0 else { return nil }
      return .init(operand: index, row: id)
    }
    var tables = operands.map { _ in [RearrangedRows.Row](repeating: .zero, count: rowCount) }
    for (token, id) in target.tokens {
      let places = operands.indices.map { place($0, own[$0][token]) }
      let rule = rules[token]
      var stand: RearrangedRows.Row?
      if rule != nil || places.contains(nil) {
        stand = try rule?.source.map { try self.row($0, token, name, entries, place) } ?? usual(places, entries)
      }
      for index in operands.indices {
        if let own = places[index], rule?.force != true {
          tables[index][id] = .row(own)
        } else if let stand {
          tables[index][id] = stand
        } else {
          throw MergeError(
            "\(name): no model has the token \(Self.text(token)); tokenizer.tokens says where its embedding comes "
              + "from, "
              + "such as {\(Self.text(token)): {source: {kind: zero}}}")
        }
      }
    }
    return operands.indices.map { RearrangedRows(operands: operands, own: $0, rows: tables[$0]) }
  }

  /// The base's row, else the only owner's, else the mean of the owners'.
  private func usual(
    _ places: [RearrangedRows.Place?], _ entries: [(model: Recipe.Model, operand: any Operand)]
  ) -> RearrangedRows.Row? {
    if let index = entries.firstIndex(where: { $0.model == base }), let place = places[index] { return .row(place) }
    let owners = places.compactMap { $0 }
    return owners.count > 1 ? .mean(owners) : owners.first.map { .row($0) }
  }

  private func row(
    _ source: Recipe.Tokenizer.RowSource, _ token: Vocabulary.Token, _ name: String,
    _ entries: [(model: Recipe.Model, operand: any Operand)],
    _ place: (Int, Int?) -> RearrangedRows.Place?
  ) throws -> RearrangedRows.Row {
    let (model, other, id): (Recipe.Model, Vocabulary.Token, Int?)
    switch source {
    case .zero: return .zero
    case .model(let named): (model, other, id) = (named, token, nil)
    case .token(let named, let text, let number):
      (model, other, id) = (named, text.map { Array($0.utf8) } ?? token, number)
    }
    guard let index = entries.firstIndex(where: { $0.model == model }) else {
      throw MergeError("tokenizer.tokens: \(model) is none of the models merged in \(name)")
    }
    guard let found = place(index, id ?? vocabularies[model]?.ids[other]) else {
      throw MergeError("tokenizer.tokens: \(model) has no token \(id.map { "number \($0)" } ?? Self.text(other))")
    }
    return .row(found)
  }

  private static func text(_ token: Vocabulary.Token) -> String {
    JSON.quoted(String(decoding: token, as: UTF8.self))
  }
}
