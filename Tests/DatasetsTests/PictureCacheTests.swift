import Foundation
import Support
import Testing

@testable import Datasets

@Suite struct PictureCacheTests {
  private let scratch: Scratch
  private var cache: URL { scratch.folder.appendingPathComponent("cache") }

  init() throws {
    scratch = try Scratch()
    for (number, name) in ["rgb.png", "grey.png", "444.jpg", "bits.png"].enumerated() {
      for label in ["a", "b"] {
        let suffix = (name as NSString).pathExtension
        try scratch.write(ArrayFileTests.bytes(name), to: "set/train/\(label)/\(number).\(suffix)")
        try scratch.write(ArrayFileTests.bytes(name), to: "set/test/\(label)/\(number).\(suffix)")
      }
    }
  }

  private func listing(_ split: Split = .train) throws -> PictureListing {
    try ImageFolder.list(name: "image-folder", split, in: scratch.folder.appendingPathComponent("set"))
  }

  private func open(_ split: Split = .train, threads: Int = 2) throws -> (store: PictureStore, decoded: Int) {
    nonisolated(unsafe) var decoded = 0
    let store = try PictureCache.open(listing(split), in: cache, threads: threads) {
      decoded = max($0, decoded + 0 * $1)
    }
    return (store, decoded)
  }

  private var files: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: cache.path)) ?? []).filter { !$0.hasSuffix(".lock") }
      .sorted()
  }

  private func contents(_ store: PictureStore) -> [[UInt8]] {
    (0..<store.count).map { store.withPixels($0, Array.init) }
  }

  @Test func picturesAreDecodedOnce() throws {
    let (first, decoded) = try open()
    #expect(decoded == 8 && first.count == 8 && first.labels == [0, 0, 0, 0, 1, 1, 1, 1])
    let expected = try PictureDecoderTests.expected()
    #expect(contents(first)[4] == Array(try #require(expected["rgb.png"]).pixels))
    let (second, again) = try open(threads: 1)
    #expect(again == 0 && contents(second) == contents(first))
    #expect(
      files.count == 1 && files[0].hasPrefix("image-folder-train-") && files[0].hasSuffix(".pictures"), "\(files)")
    // Statistics come from sums made while decoding.
    let pixels = contents(first).flatMap { $0 }
    let reds = stride(from: 0, to: pixels.count, by: 3).map { Double(pixels[$0]) / 255 }
    let mean = reds.reduce(0, +) / Double(reds.count)
    #expect(abs(first.channelStatistics().mean[0] - mean) < 1e-12)
    let deviation = (reds.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(reds.count)).squareRoot()
    #expect(abs(first.channelStatistics().standardDeviation[0] - deviation) < 1e-9)
    let dataset = try first.imageDataset()
    #expect(dataset.height == 29 && dataset.width == 40 && dataset.channelStatistics() == first.channelStatistics())
    #expect(contents(PictureStore(dataset)) == contents(first))
  }

  @Test func aChangedSourceIsDecodedAnew() throws {
    let old = try open().store
    // Other bytes of the same length: only the modification time differs.
    var bytes = try ArrayFileTests.bytes("rgb.png")
    try scratch.write(bytes, to: "set/train/a/0.png")
    #expect(try open().decoded == 8)
    // A picture of another size. The mapped memory stays as it was.
    let before = contents(old)
    bytes = try ArrayFileTests.bytes("420.jpg")
    try scratch.write(bytes, to: "set/train/a/0.png")
    let new = try open().store
    #expect(contents(old) == before && contents(new) != before && files.count == 1)
    try scratch.write(Array(bytes[..<900]), to: "set/train/b/2.jpg")
    let message = Scratch.failure { try open() }
    #expect(message.contains("set/train/b/2.jpg: libjpeg-turbo cannot read this JPEG: Premature end"), "\(message)")
    try FileManager.default.removeItem(at: scratch.folder.appendingPathComponent("set/train/b/2.jpg"))
    #expect(try open().store.count == 7)
  }

  @Test func damagedCachesAreMadeAnew() throws {
    let good = contents(try open().store)
    let file = cache.appendingPathComponent(try #require(files.first))
    let bytes = [UInt8](try Data(contentsOf: file))
    for seed in 0..<40 {
      var random = SplitMix64(UInt64(seed))
      var damaged = bytes
      // In the entries or the trailer: pixels are not protected.
      if seed % 2 == 0 {
        damaged[bytes.count - 1 - random.below(600)] ^= 1 << UInt8(random.below(8))
      } else {
        damaged.removeLast(1 + random.below(bytes.count))
      }
      try Data(damaged).write(to: file)
      #expect(contents(try open().store) == good)
    }
  }

  @Test func whatAKilledProcessLeftIsRemoved() throws {
    _ = try open()
    let name = try #require(files.first)
    try FileManager.default.removeItem(at: cache.appendingPathComponent(name))
    try scratch.write([1, 2, 3], to: "cache/.\(name).99999.7.tmp")
    try scratch.write([1], to: "cache/.other.pictures.99999.7.tmp")
    #expect(try open().decoded == 8)
    #expect(files == [".other.pictures.99999.7.tmp", name])
  }

  @Test func manyAtATimeMakeItOnce() async throws {
    let total = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<4 { group.addTask { try self.open(.test).decoded } }
      return try await group.reduce(0, +)
    }
    #expect(total == 8 && files.count == 1)
  }
}
