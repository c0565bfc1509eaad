import Foundation
import Support
import Testing

@testable import Datasets

@Suite struct TokenizerTests {
  private func encode(_ bytes: [UInt8], _ tokenizer: Tokenizer) -> [Int32] {
    var encoder = Tokenizer.Encoder(tokenizer)
    var ids: [Int32] = []
    bytes.withUnsafeBufferPointer { encoder.encode($0, into: &ids) }
    return ids
  }

  @Test func bytesAreTheirOwnIds() throws {
    let tokenizer = try Tokenizer(named: "bytes")
    #expect(tokenizer.encode("aé<|endoftext|>\n") == [97, 0xC3, 0xA9, 256, 10])
    #expect(tokenizer.decode([97, 0xC3, 0xA9, 256, 10, 300, -1]) == "aé<|endoftext|>\n")
    #expect(tokenizer.vocabularySize == 257)
  }

  /// Bytes that are not text are decoded unchanged, and the table of words loses none of them.
  @Test func anyBytesComeBack() throws {
    let tokenizers = [Tokenizer.bytes, .pairs(try BytePairTokenizer(contentsOf: TokenizerFixture.file))]
    var random = SplitMix64(3)
    for round in 0..<60 {
      let pool: [UInt8] = round % 2 == 0 ? Array(0...255) : Array("abn '<|endoftext|>é\n ".utf8)
      let bytes = (0..<random.below(3000)).map { _ in pool[random.below(pool.count)] }
      for tokenizer in tokenizers {
        let ids = encode(bytes, tokenizer)
        #expect(ids.flatMap { tokenizer.bytes(of: Int($0)) } == bytes)
        #expect(ids.allSatisfy { (0..<tokenizer.vocabularySize).contains(Int($0)) })
      }
    }
  }

  /// The queue for long words does what the plain search does.
  @Test func longWordsMergeLikeShortOnes() throws {
    var random = SplitMix64(4)
    for length in [201, 450, 2000] {
      var merges = MergeTable(capacity: 64)
      var next: Int32 = 3
      for rank in 0..<40 {
        merges.insert(
          Int32(random.below(Int(next))), Int32(random.below(Int(next))), .init(rank: Int32(rank), id: next))
        next += 1
      }
      let word = (0..<length).map { _ in Int32(random.below(3)) }
      var ours = word
      merges.apply(to: &ours)
      var plain = word
      while let best = zip(plain, plain.dropFirst()).compactMap({ merges[$0, $1] }).min(by: { $0.rank < $1.rank }),
        let place = plain.indices.dropLast().first(where: { merges[plain[$0], plain[$0 + 1]]?.rank == best.rank })
      {
        plain.replaceSubrange(place...(place + 1), with: [best.id])
      }
      #expect(ours == plain)
    }
  }

  @Test func whatValleyTrainsItReads() throws {
    var trainer = try TokenizerTrainer(vocabularySize: 300, specialTokens: ["<|endoftext|>", "<\"\\\u{1}>"])
    Array("the cat and the hat and the bat<|endoftext|>the end".utf8).withUnsafeBufferPointer { trainer.count($0) }
    let result = trainer.train()
    let tokenizer = try BytePairTokenizer(result.json, file: "trained")
    #expect(tokenizer.vocabularySize == result.vocabulary.count)
    #expect(tokenizer.addedTokens.map(\.text) == ["<|endoftext|>", "<\"\\\u{1}>"])
    #expect(tokenizer.encode(" the").count == 1)
    #expect(tokenizer.encode("a<|endoftext|><\"\\\u{1}>").suffix(2) == [0, 1])
    // Nothing is learned from special tokens.
    #expect(!result.vocabulary.contains("te"))
    #expect(
      Scratch.failure { try TokenizerTrainer(vocabularySize: 256) }
        == "a vocabulary of 256 cannot be made: 256 bytes and 1 special tokens belong to it; choose 257 to 1048576")
    #expect(
      Scratch.failure { try TokenizerTrainer(vocabularySize: 400, specialTokens: ["x"]) }
        == "'x' cannot be a special token: it is empty, given twice or the name of a byte")
  }

  /// Values in JSON, and what the error says about them.
  @Test(arguments: [
    ("model.type", "\"WordPiece\"", "model.type: is WordPiece"),
    ("model.byte_fallback", "true", "byte_fallback: is true"),
    ("model.dropout", "0.1", "dropout: is 0.1"),
    ("model.end_of_word_suffix", "\"</w>\"", "end_of_word_suffix: is '</w>'"),
    ("model.unk_token", "\"<none>\"", "unk_token: is '<none>'"),
    ("normalizer", "{\"type\": \"NFC\"}", "normalizer: is NFC"),
    ("pre_tokenizer", "{\"type\": \"Whitespace\"}", "pre_tokenizer: is Whitespace"),
    (
      "pre_tokenizer",
      "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\"}, {\"type\": \"ByteLevel\"}]}",
      "is Split + ByteLevel"
    ),
    ("post_processor", "{\"type\": \"TemplateProcessing\"}", "post_processor: is TemplateProcessing"),
    ("truncation", "{\"max_length\": 3}", "truncation: is set"),
    ("model.vocab", "{}", "model.vocab"),
    ("model.vocab", "{\"a\": 1099511627776}", "the id 1099511627776"),
    ("model.vocab", "{\"a\": -1}", "the id -1"),
    ("model.vocab", "{\"a\": 1, \"b\": 1}", "the id 1 stands for"),
    ("model.vocab", "3", "vocab"),
    ("model.merges", "[[\"a\"]]", "is not a pair of tokens"),
    ("model.merges", "[[\"a\", \"#none\"]]", "merges.0: merges 'a' and '#none'"),
    ("added_tokens", "[{\"id\": 0, \"content\": \"a b\", \"lstrip\": true}]", "has lstrip: true"),
    ("added_tokens", "[{\"id\": 5, \"content\": \"new\"}]", "the id 5; expected a free one"),
    ("added_tokens", "[{\"content\": \"new\"}]", "id is missing"),
  ])
  func unsuitableFilesAreRefusedByKey(_ path: String, _ value: String, _ message: String) throws {
    let value = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
    let json = try TokenizerFixture.patched([path: value])
    #expect {
      _ = try BytePairTokenizer(json, file: "t.json")
    } throws: { error in
      let text = "\(error)"
      return error is DatasetError && text.hasPrefix("t.json: ") && text.contains(message)
    }
  }

  @Test func damagedFilesAreRefused() throws {
    let whole = try Data(contentsOf: TokenizerFixture.file)
    var random = SplitMix64(5)
    for _ in 0..<40 {
      var damaged = whole
      if random.next() % 2 == 0 { damaged = damaged.prefix(random.below(whole.count)) }
      for _ in 0..<3 where !damaged.isEmpty { damaged[random.below(damaged.count)] ^= UInt8(1 << random.below(8)) }
      do {
        // A file with one letter of a token changed may still be valid.
        _ = try BytePairTokenizer(damaged, file: "t.json").encode("the bananas' end")
      } catch {
        #expect(error is DatasetError)
      }
    }
    let missing = Scratch.failure { try Tokenizer(named: "/nowhere/tokenizer.json") }
    #expect(missing.hasPrefix("/nowhere/tokenizer.json: cannot be read; name a tokenizer.json"), "\(missing)")
  }
}
