import Foundation

/// The files of a model's folder that make up its tokenizer.
enum TokenizerFiles {
  /// What the tokenizers library writes: tokens, their numbers, and how text becomes tokens.
  static let tokenizer = "tokenizer.json"
  /// Every file, in any of the forms there are.
  static let all = [
    tokenizer, "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "vocab.txt", "merges.txt", "spiece.model", "chat_template.jinja", "chat_template.json",
  ]
  /// Those that hold no numbers of tokens.
  static let texts = ["tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", "chat_template.json"]

  static func exist(in folder: String) -> Bool {
    all.prefix { $0 != "chat_template.jinja" }.contains {
      FileManager.default.fileExists(atPath: folder + "/" + $0)
    }
  }
}
