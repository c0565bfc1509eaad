import Foundation
import Support
import Testing

@testable import Datasets

@Suite struct GlyphsTests {
  static func hash(_ dataset: ImageDataset) -> String {
    let digest = Digest(.md5)
    digest.update(dataset.pixels)
    return digest.finish().hexadecimal
  }

  /// These bytes are part of every result that uses glyphs: a change here makes earlier studies impossible to repeat.
  @Test func theBytesNeverChange() throws {
    #expect(Self.hash(try Glyphs().dataset(.train, count: 50)) == "1c4fd2674e04226134d32df7a9d43c6d")
    #expect(Self.hash(try Glyphs().dataset(.test, count: 50)) == "fef46a306488ae597311f36f6d08aa54")
    let other = Glyphs(classes: 12, size: 21, noise: 0.8, seed: 3)
    #expect(Self.hash(try other.dataset(.train, count: 24)) == "5567df8cd29363fbf8d5989a39b893fd")
  }

  @Test func aLargerSetStartsWithTheSmallerOne() throws {
    let large = try Glyphs().dataset(.train, count: 60)
    #expect(try large.prefix(25) == Glyphs().dataset(.train, count: 25))
    #expect(large.classCounts == [Int](repeating: 6, count: 10))
    #expect(try Glyphs().dataset(.test, count: 60).pixels != large.pixels)
    #expect(try Glyphs(seed: 1).dataset(.train, count: 60).pixels != large.pixels)
  }

  /// The nearest class mean recognises clean glyphs, and fewer of the noisy ones: the task can be learnt, and noise
  /// makes it harder.
  @Test func noiseMakesItHarder() throws {
    func accuracy(_ noise: Double) throws -> Double {
      let glyphs = Glyphs(noise: noise)
      let (train, test) = (try glyphs.dataset(.train, count: 300), try glyphs.dataset(.test, count: 100))
      let size = train.exampleSize
      var means = [[Double]](repeating: [Double](repeating: 0, count: size), count: 10)
      for i in 0..<train.count {
        for p in 0..<size { means[Int(train.labels[i])][p] += Double(train.pixels[i * size + p]) / 30 }
      }
      let right = (0..<test.count).count { i in
        let distances = means.map { mean in
          (0..<size).reduce(0.0) { sum, p in
            let difference = Double(test.pixels[i * size + p]) - mean[p]
            return sum + difference * difference
          }
        }
        return distances.firstIndex(of: distances.min() ?? 0) == Int(test.labels[i])
      }
      return Double(right) / Double(test.count)
    }
    let (clean, usual) = (try accuracy(0.05), try accuracy(0.5))
    #expect(clean > 0.95)
    #expect(usual > 0.15 && usual < 0.8)
  }

  @Test func parametersOutOfRangeAreRefused() {
    for (glyphs, count, words) in [
      (Glyphs(classes: 1), 1, "classes is 1; choose 2 to 100"), (Glyphs(classes: 101), 1, "classes is 101"),
      (Glyphs(size: 7), 1, "size is 7; choose 8 to 128 pixels"), (Glyphs(size: 129), 1, "size is 129"),
      (Glyphs(noise: -0.1), 1, "noise is -0.1; choose 0 to 1"), (Glyphs(noise: 1.1), 1, "noise is 1.1"),
      (Glyphs(noise: .nan), 1, "noise is nan"),
      (Glyphs(), 0, "the number of examples is 0; choose 1 to 10,000,000"), (Glyphs(), -1, "examples is -1"),
    ] {
      let text = Scratch.failure { try glyphs.dataset(.train, count: count) }
      #expect(text.hasPrefix("glyphs: ") && text.contains(words), "\(text)")
    }
  }
}
