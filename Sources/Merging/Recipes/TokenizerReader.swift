import Schema

/// What a recipe says about tokens and chats.
extension RecipeReader {
  mutating func tokenizer(_ fields: [String: YAMLNode], _ path: String) -> Recipe.Tokenizer? {
    if let node = fields["tokenizer_source"] {
      if let other = fields["tokenizer"] {
        report(other.place, at(path, "tokenizer"), "stands beside tokenizer_source; keep one of them")
      }
      return source(node, at(path, "tokenizer_source")).map { Recipe.Tokenizer($0) }
    }
    let place = at(path, "tokenizer")
    guard let node = fields["tokenizer"],
      let inner = self.fields(node, place, ["source", "tokens", "pad_to_multiple_of"])
    else { return nil }
    // mergekit's default.
    var result = Recipe.Tokenizer(inner["source"].flatMap { source($0, at(place, "source")) } ?? .union)
    if let node = inner["pad_to_multiple_of"] {
      result.padding = integer(node)
      if !(1...65536).contains(result.padding ?? 0) {
        report(node.place, at(place, "pad_to_multiple_of"), "is \(node.kind); expected a whole number within 1 … 65536")
        result.padding = nil
      }
    }
    let tokens = at(place, "tokens")
    for entry in inner["tokens"].flatMap({ mapping($0, tokens) }) ?? [] {
      if result.tokens[entry.name] != nil { report(entry.place, at(tokens, entry.name), "is given more than once") }
      result.tokens[entry.name] = rule(entry.value, at(tokens, entry.name))
    }
    return result
  }

  private mutating func source(_ node: YAMLNode, _ path: String) -> Recipe.Tokenizer.Source? {
    if case .scalar("union", _) = node.content { return .union }
    if case .scalar("base", _) = node.content { return .base }
    return model(node, path).map { .model($0) }
  }

  private mutating func rule(_ node: YAMLNode, _ path: String) -> Recipe.Tokenizer.Rule? {
    guard let fields = fields(node, path, ["source", "force"]) else { return nil }
    var rule = Recipe.Tokenizer.Rule()
    if let node = fields["force"] {
      if case .scalar(let text, isPlain: true) = node.content, node.isTruth {
        rule.force = ["true", "yes", "on"].contains(text.lowercased())
      } else {
        report(node.place, at(path, "force"), "is \(node.kind); expected true or false")
      }
    }
    if let node = fields["source"] { rule.source = rowSource(node, at(path, "source")) }
    return rule
  }

  private mutating func rowSource(_ node: YAMLNode, _ path: String) -> Recipe.Tokenizer.RowSource? {
    guard case .mapping(let entries) = node.content, entries.contains(where: { $0.name == "kind" }) else {
      return model(node, path).map { .model($0) }
    }
    guard let fields = fields(node, path, ["kind", "model", "token", "token_id"]), let kind = fields["kind"] else {
      return nil
    }
    switch text(kind, at(path, "kind")) {
    case "zero"?: return .zero
    case "model_token"?:
      guard let named = fields["model"], let model = model(named, at(path, "model")) else {
        report(node.place, path, "names no model")
        return nil
      }
      let word = fields["token"].flatMap { text($0, at(path, "token")) }
      let id = fields["token_id"].flatMap { integer($0) }
      guard (word == nil) != (id == nil), id ?? 0 >= 0 else {
        report(node.place, path, "needs either token (a text) or token_id (a whole number)")
        return nil
      }
      return .token(model, text: word, id: id)
    case let name?:
      report(kind.place, at(path, "kind"), expected(name, ["zero", "model_token"]))
      return nil
    case nil: return nil
    }
  }

  private func integer(_ node: YAMLNode) -> Int? {
    if case .scalar(let text, isPlain: true) = node.content { Int(text) } else { nil }
  }

  /// The template: `auto` stays, a name becomes what it stands for.
  mutating func chatTemplate(_ node: YAMLNode, _ path: String) -> String? {
    guard let text = text(node, path) else { return nil }
    if text == "auto" || text.contains("{") { return text }
    if let template = ChatTemplate.named[text] { return template }
    report(node.place, path, expected(text, ["auto"] + ChatTemplate.named.keys.sorted()) + "; or a Jinja template")
    return nil
  }
}
