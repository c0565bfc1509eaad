import Foundation
import Testing
import Torch

@testable import Datasets

@Suite struct TokenDatasetTests {
  private static let text = "Once upon a time there was a cat.<|endoftext|>It sat on a mat, and that was that.\n"

  private func file(_ scratch: Scratch, _ text: String = text, _ tokenizer: Tokenizer = .bytes) throws -> TokenFile {
    let path = scratch.folder.appendingPathComponent("text.txt")
    // A file that is written again counts as another.
    if (try? Data(contentsOf: path)) != Data(text.utf8) { try scratch.write(Array(text.utf8), to: "text.txt") }
    return try TokenFile(encoding: path, with: tokenizer, cache: scratch.folder.appendingPathComponent("cache"))
  }

  @Test func tokensAreThoseOfTheTextAndComeFromTheCache() throws {
    let scratch = try Scratch()
    for tokenizer in [Tokenizer.bytes, .pairs(try BytePairTokenizer(contentsOf: TokenizerFixture.file))] {
      let first = try file(scratch, Self.text, tokenizer)
      let ids = tokenizer.encode(Self.text)
      #expect(first.ids(0..<first.count) == ids)
      let cached = try scratch.cached()
      let written = try cached.map {
        try $0.resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate
      }
      let second = try file(scratch, Self.text, tokenizer)
      #expect(second.ids(0..<second.count) == ids)
      #expect(
        try cached.map { try $0.resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate }
          == written)
    }
    #expect(try scratch.cached().count == 2)
    #expect(try file(scratch, "another text").count == 12)
  }

  @Test func damagedCachesAreMadeAnew() throws {
    let scratch = try Scratch()
    let whole = try file(scratch)
    let ids = whole.ids(0..<whole.count)
    let place = try #require(try scratch.cached().first)
    let bytes = try Data(contentsOf: place)
    for change in 0..<12 {
      var damaged = bytes
      switch change {
      case 0: damaged = Data()
      case 1: damaged = bytes.dropLast()
      case 2: damaged = bytes.prefix(70)
      case 3: damaged = bytes + [0]
      default: damaged[bytes.count - 64 + 4 * change] ^= 0xFF
      }
      try damaged.write(to: place)
      let again = try file(scratch)
      #expect(again.ids(0..<again.count) == ids)
    }
  }

  /// Texts are encoded in blocks that end where a line does.
  @Test func blocksDoNotChangeTokens() throws {
    let scratch = try Scratch()
    let tokenizer = Tokenizer.pairs(try BytePairTokenizer(contentsOf: TokenizerFixture.file))
    let text = String(repeating: "a  b \n\n c<|endoftext|>\n d's\n\n\n", count: 40)
    let path = try scratch.write(Array(text.utf8), to: "text.txt")
    for block in [1, 7, 64] {
      let cache = scratch.folder.appendingPathComponent("cache-\(block)")
      let file = try TokenFile(encoding: path, with: tokenizer, cache: cache, block: block)
      #expect(file.ids(0..<file.count) == tokenizer.encode(text))
    }
  }

  @Test func examplesAreConsecutiveAndLabelsOneFurther() throws {
    let scratch = try Scratch()
    let tokens = try file(scratch, "abcdefghijkl")
    let dataset = try TokenDataset(tokens, range: 1..<12, context: 3)
    #expect(dataset.count == 3)
    #expect(dataset.classes == 257)
    let batch = try dataset.batch(1..<3)
    #expect(try batch.inputs.array(Int.self) == Array("efghij".utf8).map(Int.init))
    #expect(try batch.labels.array(Int.self) == Array("fghijk".utf8).map(Int.init))
    #expect(batch.inputs.shape == [2, 3])
    #expect(try TokenDataset(tokens, context: 3, sequences: 2).count == 2)
    let short = "the text has 12 tokens, and a sequence takes"
    for (context, sequences, words) in [
      (12, nil, "\(short) 12 and the one after; choose a smaller context"), (0, nil, "\(short) 0 and the one after"),
      (3, 4, "the text has 3 sequences of 3 tokens, 4 were asked for; ask for 1 to 3"), (3, 0, "0 were asked for"),
    ] as [(Int, Int?, String)] {
      let text = Scratch.failure { try TokenDataset(tokens, context: context, sequences: sequences) }
      #expect(text.contains(words), "\(text)")
    }
  }

  @Test func batchesDependOnSeedAndStepAlone() throws {
    let scratch = try Scratch()
    let dataset = try TokenDataset(file(scratch), context: 8)
    let batches = try TokenBatches(dataset, batchSize: 3, seed: 7)
    #expect(batches.stepsPerEpoch == dataset.count / 3)
    let other = try TokenBatches(dataset, batchSize: 3, seed: 8)
    #expect(try batches.batch(at: 5).inputs.array(Int.self) == batches.batch(at: 5).inputs.array(Int.self))
    #expect((0..<20).map { batches.places(at: $0) } != (0..<20).map { other.places(at: $0) })
    let places = (0..<2000).flatMap { batches.places(at: $0) }
    // Every place where a sequence fits, and no other.
    #expect(Set(places) == Set(0..<(dataset.tokens - 8)))
    let count = dataset.count
    #expect(
      Scratch.failure { try TokenBatches(dataset, batchSize: count + 1, seed: 0) }
        == "batches of \(count + 1) cannot be taken from \(count) sequences of 8 tokens; choose a batch size from 1 to "
        + "\(count)")
  }
}

extension Scratch {
  fileprivate func cached() throws -> [URL] {
    try FileManager.default.contentsOfDirectory(
      at: folder.appendingPathComponent("cache"), includingPropertiesForKeys: nil)
  }
}
