import Schema

/// What a recipe says about tokens and chats.
extension RecipeReader {
  func tokenizer(_ form: RecipeForm, _ path: String) -> Recipe.Tokenizer? {
    if let node = form.tokenizerSource {
      if let other = form.tokenizer {
        report(other.place, at(path, "tokenizer"), "stands beside tokenizer_source; keep one of them")
      }
      return source(node, at(path, "tokenizer_source")).map { Recipe.Tokenizer($0) }
    }
    let place = at(path, "tokenizer")
    guard let node = form.tokenizer, let form = self.form(TokenizerForm.section, node, place) else { return nil }
    // mergekit's default.
    var result = Recipe.Tokenizer(form.source.flatMap { source($0, at(place, "source")) } ?? .union)
    result.padding = form.padding
    let tokens = at(place, "tokens")
    for entry in form.tokens.flatMap({ mapping($0, tokens) }) ?? [] {
      if result.tokens[entry.name] != nil { report(entry.place, at(tokens, entry.name), "is given more than once") }
      result.tokens[entry.name] = rule(entry.value, at(tokens, entry.name))
    }
    return result
  }

  private func source(_ node: YAMLNode, _ path: String) -> Recipe.Tokenizer.Source? {
    if case .scalar("union", _) = node.content { return .union }
    if case .scalar("base", _) = node.content { return .base }
    return model(node, path).map { .model($0) }
  }

  private func rule(_ node: YAMLNode, _ path: String) -> Recipe.Tokenizer.Rule? {
    guard let form = form(RuleForm.section, node, path) else { return nil }
    var rule = Recipe.Tokenizer.Rule()
    rule.force = form.isForced
    rule.source = form.source.flatMap { rowSource($0, at(path, "source")) }
    return rule
  }

  private func rowSource(_ node: YAMLNode, _ path: String) -> Recipe.Tokenizer.RowSource? {
    guard node.entries?.contains(where: { $0.name == "kind" }) == true else {
      return model(node, path).map { .model($0) }
    }
    guard let form = form(RowForm.section, node, path), let kind = form.kind else { return nil }
    guard kind == .modelToken else { return .zero }
    guard let named = form.model, let model = model(named, at(path, "model")) else {
      report(node.place, path, "names no model")
      return nil
    }
    guard (form.token == nil) != (form.number == nil), form.number ?? 0 >= 0 else {
      report(node.place, path, "needs either token (a text) or token_id (a whole number)")
      return nil
    }
    return .token(model, text: form.token, id: form.number)
  }

  /// The template: `auto` stays, a name becomes what it stands for.
  func chatTemplate(_ node: YAMLNode, _ path: String) -> String? {
    guard let text = text(node, path) else { return nil }
    if text == "auto" || text.contains("{") { return text }
    if let template = ChatTemplate.named[text] { return template }
    return word(node, path, of: ["auto"] + ChatTemplate.named.keys.sorted(), other: "; or a Jinja template")
  }
}
