import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch
import Weights

@Suite struct SafetensorsTests {
  @Test func everyTypeAndLayoutComesBackBitForBit() throws {
    let pattern = (0..<24).map { UInt8($0 * 37 % 251) }
    var tensors = try DType.allCases.map { dtype -> (String, Tensor) in
      // Booleans are 0 or 1; the others take any bits.
      let source = dtype == .bool ? pattern.map { $0 & 1 } : pattern
      return try source.withUnsafeBytes {
        ("odd.\(dtype)", try Tensor(copying: $0, dtype: dtype, shape: [24 / dtype.byteCount]))
      }
    }
    let grid = try Tensor.range(24, dtype: .float32).reshape([1, 2, 3, 4])
    tensors += try [
      // An odd number of bytes here leaves what follows unaligned.
      ("three", Tensor([1, 2, 3] as [UInt8])), ("scalar", Tensor(scalar: 2.5)), ("none", .zeros([2, 0, 3])),
      ("channels last", grid.contiguous(.channelsLast)), ("expanded", Tensor([7] as [Int16]).expand([2, 3])),
      ("special", Tensor([.nan, -.infinity, -0.0, .leastNonzeroMagnitude])),
      ("µ \"quoted\"\\ \n\u{1}\u{1F98B}", .zeros([1])),
    ]
    let weights = Weights(tensors)
    let metadata = ["format": "pt", "note": "line\n\"µ\""]
    try withTemporaryFolder { folder in
      let path = folder + "/all.safetensors"
      try Safetensors.write(weights, metadata: metadata, to: path)
      let content = try Safetensors.read(path)
      #expect(content.metadata == metadata)
      #expect(content.weights.names == weights.names, "the order is kept")
      #expect(content.weights.layoutDifferences(from: weights) == [])
      for (name, tensor) in tensors { #expect(try bytes(#require(content.weights[name])) == bytes(tensor), "\(name)") }

      let again = folder + "/again.safetensors"
      try Safetensors.write(content.weights, metadata: content.metadata, to: again)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(contentsOf: URL(fileURLWithPath: again)))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == [
          "again.safetensors", "all.safetensors",
        ])
    }
  }

  @Test func tensorsReadOutliveTheFileAndNeverChangeIt() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      let first = Weights([("w", try Tensor([1, 2] as [Float]))])
      try Safetensors.write(first, to: path)
      let read = try Safetensors.read(path).weights
      let written = try Safetensors.read(path).weights
      try written["w"]?.fill(9)
      #expect(try read.isIdentical(to: first) && Safetensors.read(path).weights.isIdentical(to: first))
      try Safetensors.write(2 * first, to: path)
      try FileManager.default.removeItem(atPath: path)
      #expect(try read.isIdentical(to: first))
    }
  }

  @Test func filesWrittenInPythonAreRead() throws {
    let mlp = try Fixture("mlp"), operators = try Fixture("ops")
    #expect(mlp.metadata["torch"]?.hasPrefix("2.11.0") == true && mlp.metadata["sizes"] == "[192, 32, 24, 10]")
    #expect(try mlp["labels"].shapeDescription == "[16] int64" && mlp["input"].shape == [16, 3, 8, 8])
    #expect(try operators["where/condition"].dtype == .bool && operators["norm/expected"].shape == [])
    #expect(try mlp["labels"].array(Int.self).allSatisfy { (0..<10).contains($0) } && mlp.tensors.isFinite())
  }

  @Test func whatCannotBeWrittenLeavesNothingBehind() throws {
    try withTemporaryFolder { folder in
      let weights = Weights([("__metadata__", try Tensor.zeros([1]))])
      #expect {
        try Safetensors.write(weights, to: folder + "/a")
      } throws: { "\($0)".contains("/a: no tensor can be named __metadata__") }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }
  }
}
