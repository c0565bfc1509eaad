import ArgumentParser

/// `valley tokenizer`: make a tokenizer, and see what it does.
struct TokenizerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer", abstract: "Train a byte-level BPE tokenizer, encode, decode, describe.",
    discussion: """
      A tokenizer is a tokenizer.json as the `tokenizers` package reads and writes it (GPT-2's kind), or `bytes`: \
      every byte is a token.

      EXAMPLES
        valley tokenizer train stories.txt --vocabulary 4096 -o tokenizer.json
        valley tokenizer info tokenizer.json --text stories.txt
        valley tokenizer encode tokenizer.json "Once upon a time"
        valley tokenizer encode tokenizer.json --file stories.txt > ids.txt
        valley tokenizer decode tokenizer.json 713 402 91
      """,
    subcommands: [
      TokenizerTrainCommand.self, TokenizerEncodeCommand.self, TokenizerDecodeCommand.self, TokenizerInfoCommand.self,
    ])
}
