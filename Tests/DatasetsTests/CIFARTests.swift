import Foundation
import Testing

@testable import Datasets

@Suite struct CIFARTests {
  /// Records with labels 0, 1, 2, … in each label byte.
  static func records(_ count: Int, labelBytes: Int, seed: UInt64 = 0) -> [UInt8] {
    (0..<count).flatMap { i in
      [UInt8](repeating: UInt8(i % 10), count: labelBytes) + randomBytes(3072, seed: seed &+ UInt64(i) &* 1000)
    }
  }

  static func ten(in scratch: Scratch, folder: String = "cifar-10-batches-bin/") throws {
    for k in 1...5 {
      try scratch.write(records(k + 1, labelBytes: 1, seed: UInt64(k)), to: folder + "data_batch_\(k).bin")
    }
    try scratch.write(records(7, labelBytes: 1, seed: 9), to: folder + "test_batch.bin")
    try scratch.write(Array("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n".utf8), to: folder + "batches.meta.txt")
  }

  @Test func batchesAreReadInTheOrderOfTheirNumbers() throws {
    let scratch = try Scratch()
    try Self.ten(in: scratch)
    let train = try KnownDataset.cifar10.load(.train, from: scratch.folder)
    #expect(train.shape == [2 + 3 + 4 + 5 + 6, 3, 32, 32])
    #expect(train.labels == [0, 1, 0, 1, 2, 0, 1, 2, 3, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5])
    #expect(Array(train.pixels[..<3072]) == randomBytes(3072, seed: 1))
    #expect(Array(train.pixels[(2 * 3072)..<(3 * 3072)]) == randomBytes(3072, seed: 2))
    #expect(train.classNames.first == "a")
    let inner = scratch.folder.appendingPathComponent("cifar-10-batches-bin")
    #expect(try KnownDataset.cifar10.load(.train, from: inner) == train)
    #expect(try KnownDataset.cifar10.load(.test, from: inner).count == 7)
    #expect(KnownDataset.recognise(scratch.folder) == .cifar10)
    #expect(KnownDataset.recognise(inner) == .cifar10)
  }

  @Test func cifar100KeepsTheFineLabel() throws {
    let scratch = try Scratch()
    try scratch.write([19, 99] + randomBytes(3072, seed: 1), to: "train.bin")
    try scratch.write([3, 42] + randomBytes(3072, seed: 2), to: "test.bin")
    #expect(try KnownDataset.cifar100.load(.train, from: scratch.folder).labels == [99])
    #expect(try KnownDataset.cifar100.load(.test, from: scratch.folder).labels == [42])
    try scratch.write([20, 42] + randomBytes(3072, seed: 2), to: "test.bin")
    let message = Scratch.failure { try KnownDataset.cifar100.load(.test, from: scratch.folder) }
    #expect(message.contains("test.bin: byte 0: label 20 in record 0 where cifar100 has 0 to 19"), "\(message)")
  }

  @Test func everyMistakeNamesFileAndByte() throws {
    let scratch = try Scratch()
    try Self.ten(in: scratch, folder: "")
    func failure(_ split: Split = .train) -> String {
      Scratch.failure { try KnownDataset.cifar10.load(split, from: scratch.folder) }
    }
    try scratch.write(Array(Self.records(3, labelBytes: 1).dropLast(100)), to: "data_batch_3.bin")
    #expect(failure().contains("data_batch_3.bin: byte 9119: the file ends inside record 2"), "\(failure())")
    var wrong = Self.records(3, labelBytes: 1)
    wrong[3073] = 10
    try scratch.write(wrong, to: "data_batch_3.bin")
    #expect(failure().contains("data_batch_3.bin: byte 3073: label 10 in record 1"), "\(failure())")
    try scratch.write([], to: "data_batch_3.bin")
    #expect(failure().contains("data_batch_3.bin: byte 0: the file ends inside record 0"), "\(failure())")
    try FileManager.default.removeItem(at: scratch.folder.appendingPathComponent("data_batch_3.bin"))
    #expect(failure().contains("data_batch_3.bin: no such file; run `valley data fetch cifar10`"), "\(failure())")
    try FileManager.default.createDirectory(
      at: scratch.folder.appendingPathComponent("data_batch_3.bin"), withIntermediateDirectories: false)
    #expect(failure().contains("data_batch_3.bin: is a folder"), "\(failure())")
    // A sparse file one record longer than the largest real one.
    try scratch.shell("truncate -s 30733073 test_batch.bin")
    #expect(failure(.test).contains("test_batch.bin: byte 30730000: the file has 30733073 bytes"), "\(failure(.test))")
    try scratch.write(Array("a\nb\n".utf8), to: "batches.meta.txt")
    #expect(failure().contains("batches.meta.txt: byte 0: 2 class names"), "\(failure())")
    let missing = Scratch.failure { try KnownDataset.cifar10.load(.train, from: URL(fileURLWithPath: "/no/such")) }
    #expect(missing.contains("/no/such: no such folder"), "\(missing)")
  }

  @Test func damagedFilesGiveErrorsOrValidData() throws {
    let good = Self.records(3, labelBytes: 2)
    var read = 0
    for seed in 0..<400 {
      var pixels: [UInt8] = []
      var labels: [Int] = []
      do {
        try CIFAR.parse(
          Data(mutated(good, seed: UInt64(seed))), CIFAR.hundred, file: "fuzz", pixels: &pixels, labels: &labels)
        #expect(pixels.count == labels.count * 3072 && labels.allSatisfy { $0 < 100 })
        read += 1
      } catch {
        #expect(error is DatasetError)
      }
    }
    #expect(read > 0 && read < 400)
  }
}
