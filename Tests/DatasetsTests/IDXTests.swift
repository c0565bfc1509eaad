import Foundation
import Testing

@testable import Datasets

@Suite struct IDXTests {
  static func images(_ count: Int, _ height: Int = 4, _ width: Int = 3) -> [UInt8] {
    [0, 0, 8, 3] + [count, height, width].flatMap { [0, 0, UInt8($0 >> 8), UInt8($0 & 255)] }
      + randomBytes(count * height * width, seed: 5)
  }

  static func labels(_ values: [UInt8]) -> [UInt8] {
    [0, 0, 8, 1, 0, 0, UInt8(values.count >> 8), UInt8(values.count & 255)] + values
  }

  static func mnist(in scratch: Scratch) throws {
    try scratch.write(images(3), to: "train-images-idx3-ubyte")
    try scratch.write(labels([7, 0, 9]), to: "train-labels-idx1-ubyte")
    try scratch.write(images(2), to: "t10k-images-idx3-ubyte")
    try scratch.write(labels([1, 2]), to: "t10k-labels-idx1-ubyte")
  }

  @Test func plainAndGzippedFilesGiveTheSame() throws {
    let scratch = try Scratch()
    try Self.mnist(in: scratch)
    let train = try KnownDataset.mnist.load(.train, from: scratch.folder)
    #expect(train.shape == [3, 1, 4, 3])
    #expect(train.labels == [7, 0, 9])
    #expect(train.pixels == randomBytes(36, seed: 5))
    try scratch.shell("gzip *-ubyte")
    #expect(KnownDataset.recognise(scratch.folder) == .mnist)
    #expect(try KnownDataset.mnist.load(.train, from: scratch.folder) == train)
    #expect(try KnownDataset.fashionMNIST.load(.test, from: scratch.folder).labels == [1, 2])
  }

  @Test func everyMistakeNamesFileAndByte() throws {
    let scratch = try Scratch()
    try Self.mnist(in: scratch)
    func failure(_ split: Split = .train) -> String {
      Scratch.failure { try KnownDataset.mnist.load(split, from: scratch.folder) }
    }
    func images(_ bytes: [UInt8], _ expected: String) throws {
      try scratch.write(bytes, to: "train-images-idx3-ubyte")
      #expect(failure().contains("train-images-idx3-ubyte: \(expected)"), "\(failure())")
    }
    try images(Array(Self.images(3).prefix(10)), "byte 10: the file ends inside its header of 16 bytes")
    try images(Self.images(3).dropLast(), "byte 51: the header promises 3 × 4 × 3 elements, 52 bytes")
    try images(Self.images(3) + [0], "byte 52: the header promises")
    try images([0x1f, 0x8b] + Self.images(3).dropFirst(2), "byte 0: the file starts with [31, 139, 8, 3]")
    try images(Self.labels(randomBytes(9, seed: 0)), "byte 3: the file starts with [0, 0, 8, 1]")
    var wide = Self.images(3)
    wide.replaceSubrange(12..<16, with: [255, 255, 255, 255])
    try images(wide, "byte 12: dimension 2 is 4294967295 where 1 to 4096 is allowed")
    try images([0, 0, 8, 3] + [UInt8](repeating: 0, count: 12), "byte 4: dimension 0 is 0")
    try scratch.write(Self.images(3), to: "train-images-idx3-ubyte")
    try scratch.write(Self.labels([1, 2]), to: "train-labels-idx1-ubyte")
    #expect(failure().contains("train-labels-idx1-ubyte: byte 4: 2 labels for the 3 pictures"), "\(failure())")
    try scratch.write(Self.labels([1, 2, 10]), to: "train-labels-idx1-ubyte")
    #expect(failure().contains("train-labels-idx1-ubyte: byte 10: label 10 of example 2"), "\(failure())")
    try FileManager.default.removeItem(at: scratch.folder.appendingPathComponent("t10k-labels-idx1-ubyte"))
    #expect(failure(.test).contains("t10k-labels-idx1-ubyte: no such file"), "\(failure(.test))")
  }

  @Test func aDamagedOrEndlessGzipFileIsRefused() throws {
    let scratch = try Scratch()
    let bomb = scratch.folder.appendingPathComponent("zeros.gz")
    try scratch.shell("head -c 3000000 /dev/zero | gzip > zeros.gz; head -c 500 zeros.gz > cut.gz; echo no > bad.gz")
    #expect(try FileBytes.unpackGzip(bomb, atMost: 3_000_000).count == 3_000_000)
    let big = Scratch.failure { try FileBytes.unpackGzip(bomb, atMost: 2_999_999) }
    #expect(big.contains("unpacks to more than the 2999999 bytes"), "\(big)")
    for name in ["cut.gz", "bad.gz"] {
      let file = scratch.folder.appendingPathComponent(name)
      let message = Scratch.failure { try FileBytes.unpackGzip(file, atMost: 1 << 24) }
      #expect(message.contains("gzip could not unpack it"), "\(message)")
    }
  }

  @Test func damagedFilesGiveErrorsOrValidData() {
    var read = 0
    for seed in 0..<1000 {
      do {
        let (shape, elements) = try IDX.parse(
          Data(mutated(Self.images(3), seed: UInt64(seed))), dimensions: 3, file: "fuzz")
        #expect(shape.count == 3 && shape.reduce(1, *) == elements.count)
        read += 1
      } catch {
        #expect(error is DatasetError)
      }
    }
    #expect(read > 0 && read < 1000)
  }
}
