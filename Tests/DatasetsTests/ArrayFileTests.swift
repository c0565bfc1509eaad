import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite struct ArrayFileTests {
  /// The value that pictures.py puts there.
  static func sample(_ n: Int, _ row: Int, _ column: Int, _ channel: Int) -> UInt8 {
    UInt8((37 * n + 5 * row + 3 * column + 101 * channel) % 256)
  }

  /// One plane after the other.
  static func samples(_ count: Int) -> [UInt8] {
    (0..<count).flatMap { n in
      (0..<3).flatMap { channel in
        (0..<32).flatMap { row in (0..<32).map { sample(n, row, $0, channel) } }
      }
    }
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: fixtureFolder.appendingPathComponent("pictures/\(name)")))
  }

  private func mat(_ bytes: [UInt8]) throws -> [String: NumberArray] {
    try bytes.withUnsafeBytes { try MATFile.parse($0, file: "fuzz.mat", atMost: 1 << 20) }
  }

  private func npy(_ bytes: [UInt8]) throws -> NumberArray {
    try bytes.withUnsafeBytes { try NPYFile.parse($0, file: "fuzz.npy") }
  }

  @Test func svhnIsReadFromCompressedAndPlainFiles() throws {
    let scratch = try Scratch()
    try scratch.write(Self.bytes("svhn.mat"), to: "train_32x32.mat")
    try scratch.write(Self.bytes("svhn-plain.mat"), to: "test_32x32.mat")
    try scratch.write(Self.bytes("svhn-plain.mat"), to: "extra_32x32.mat")
    let train = try KnownDataset.svhn.load(.train, from: scratch.folder)
    #expect(train.labels == [1, 0, 3, 9, 0])
    #expect(train.pixels == Self.samples(5))
    let test = try KnownDataset.svhn.load(.test, from: scratch.folder)
    #expect(test.labels == [1, 0] && test.pixels == Self.samples(2))
    let both = try KnownDataset.svhnExtra.load(.train, from: scratch.folder)
    #expect(both.labels == train.labels + test.labels && both.pixels == train.pixels + test.pixels)
    #expect(KnownDataset.recognise(scratch.folder) == .svhn)
  }

  @Test func otherMATFilesAreRefusedByName() throws {
    let structure = Scratch.failure { try mat(Self.bytes("structure.mat")) }
    #expect(structure.contains("fuzz.mat: 'X' is a structure, not an array of numbers"), "\(structure)")
    var hdf5 = try Self.bytes("svhn.mat")
    hdf5[125] = 2
    #expect(Scratch.failure { try mat(hdf5) }.contains("version 200"))
    let good = try Self.bytes("svhn-plain.mat")
    let cut = Scratch.failure { try mat(Array(good[..<3000])) }
    #expect(cut.contains("fuzz.mat: byte 3000: the file ends where"), "\(cut)")
    let bomb = Scratch.failure {
      try Self.bytes("svhn.mat").withUnsafeBytes { try MATFile.parse($0, file: "bomb.mat", atMost: 1000) }
    }
    #expect(bomb.contains("bomb.mat: unpacks to more than the 1000 bytes"), "\(bomb)")
  }

  @Test func cifar10_1IsATestSet() throws {
    let scratch = try Scratch()
    for part in ["data", "labels"] {
      try scratch.write(Self.bytes("cifar10.1_v6_\(part).npy"), to: "cifar10.1_v6_\(part).npy")
    }
    let test = try KnownDataset.cifar10_1.load(.test, from: scratch.folder)
    #expect(test.labels == [3, 9, 0, 3] && test.pixels == Self.samples(4))
    let train = Scratch.failure { try KnownDataset.cifar10_1.pictures(.train, from: scratch.folder) }
    #expect(train.contains("cifar10.1 has no training examples; use it to evaluate"), "\(train)")
    #expect(KnownDataset.recognise(scratch.folder) == .cifar10_1)
    let missing = Scratch.failure { try KnownDataset.cifar10_1v4.load(.test, from: scratch.folder) }
    #expect(missing.contains("cifar10.1_v4_data.npy: no such file; run `valley data fetch cifar10.1-v4`"), "\(missing)")
  }

  @Test func npyOrderAndTypesAreTold() throws {
    let fortran = try npy(Self.bytes("fortran.npy"))
    #expect(fortran.isColumnMajor && fortran.shape == [2, 3])
    #expect(try fortran.integers(file: "") == [0, 3, 1, 4, 2, 5])
    let bigEndian = Scratch.failure { try npy(Self.bytes("big-endian.npy")) }
    #expect(bigEndian.contains("elements of type '>i4'"), "\(bigEndian)")
    let huge = Array("{'descr': '|u1', 'fortran_order': False, 'shape': (4611686018427387904, 4), }".utf8)
    let hostile = Scratch.failure { try npy([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(huge.count), 0] + huge) }
    #expect(hostile.contains("the header promises"), "\(hostile)")
  }

  @Test func damagedArraysGiveErrorsOrValidData() throws {
    let files = try ["svhn.mat", "svhn-plain.mat", "cifar10.1_v6_data.npy"].map { ($0, try Self.bytes($0)) }
    for (name, good) in files {
      var refused = 0
      for seed in 0..<300 {
        let bytes = mutated(good, seed: UInt64(seed))
        do {
          let arrays = name.hasSuffix("mat") ? try mat(bytes) : ["": try npy(bytes)]
          for array in arrays.values {
            #expect(NumberArray.count(array.shape + [array.element.size]) == array.range.count)
            #expect(array.range.upperBound <= array.storage.count)
          }
        } catch {
          #expect(error is DatasetError, "\(error)")
          refused += 1
        }
      }
      #expect(refused > 0, "\(name)")
    }
  }

  @Test func tablesHaveQuotedCells() throws {
    let text = "a,b,c\r\n1,\"x, \"\"y\"\"\nz\",3\r\n\n4,,\"6\"\n"
    func columns(_ names: [String], _ text: String) throws -> [[String]] {
      try Array(text.utf8).withUnsafeBytes { try CSVFile.columns(names, of: $0, file: "t.csv") }
    }
    #expect(try columns(["b", "c", "a"], text) == [["x, \"y\"\nz", ""], ["3", "6"], ["1", "4"]])
    #expect(Scratch.failure { try columns(["d"], text) }.contains("has no column 'd', only a, b, c"))
    #expect(Scratch.failure { try columns(["b"], "a,b\n1\n") }.contains("row 2 has 1 cells and none for 'b'"))
    #expect(Scratch.failure { try columns(["a"], "a\n\"1\n") }.contains("ends inside a quoted cell"))
    #expect(Scratch.failure { try columns(["a"], "") }.contains("is empty"))
  }
}
