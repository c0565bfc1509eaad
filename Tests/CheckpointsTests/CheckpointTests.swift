import Foundation
import Support
import TestSupport
import Testing
import Torch
import Weights

@testable import Checkpoints

@Suite struct CheckpointTests {
  private static let sharded = fixtureFolder.appendingPathComponent("torch/sharded").path
  private static let index = "model.safetensors.index.json"

  @Test func shardsAreReadThroughTheirIndexAndAsAFolder() throws {
    let expected = try Checkpoint.read(fixtureFolder.appendingPathComponent("torch/expected.safetensors").path).weights
    for path in [Self.sharded, "\(Self.sharded)/\(Self.index)"] {
      let checkpoint = try Checkpoint.read(path)
      #expect(checkpoint.weights.names == ["bfloat16", "float32", "int64"] && checkpoint.files.count == 2)
      for (name, tensor) in checkpoint.weights {
        #expect(try bytes(tensor) == bytes(#require(expected[name])))
      }
      #expect((checkpoint.configuration != nil) == (path == Self.sharded))
    }
  }

  @Test func anIndexThatDoesNotFitIsRefused() throws {
    let shard = "model-00001-of-00002.safetensors"
    let other = "model-00002-of-00002.safetensors"
    let good = try String(contentsOfFile: "\(Self.sharded)/\(Self.index)", encoding: .utf8)
    for (from, to, words) in [
      (shard, "../\(shard)", "its shard '../\(shard)' is refused"), (shard, "/etc/passwd", "is refused"),
      (shard, "..", "is refused"), (shard, "a\\\\b", "is refused"), (shard, "", "is refused"),
      (shard, "model-00003.safetensors", "names model-00003.safetensors, missing in its folder"),
      ("\"int64\"", "\"int32\"", "says that int32 lies in \(other), which has no such tensor"),
      ("\"float32\": \"\(shard)\",", "", "does not name float32, which its shards hold"),
      ("\"weight_map\"", "\"weights\"", "it has no weight_map"), ("\"\(other)\"", "1", "its shard is not text"),
      ("}", "", "is damaged at byte"),
    ] {
      try withTemporaryFolder { folder in
        for name in [shard, other] {
          try FileManager.default.copyItem(atPath: "\(Self.sharded)/\(name)", toPath: "\(folder)/\(name)")
        }
        let text = good.replacingOccurrences(of: from, with: to)
        #expect(text != good)
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(Self.index)"))
        #expect {
          try Checkpoint.read(folder)
        } throws: { error in
          if !"\(error)".contains(words) { Issue.record("'\(words)' is not in '\(error)'") }
          return error is FileError
        }
      }
    }
  }

  @Test func foldersWithoutOneFileOfWeightsAreRefused() throws {
    try withTemporaryFolder { folder in
      #expect { try Checkpoint.read(folder) } throws: { "\($0)".contains("is a folder without weights") }
      let weights = Weights([("w", try Tensor([1, 2] as [Float]))])
      try Safetensors.write(weights, to: folder + "/a.safetensors")
      #expect(try Checkpoint.read(folder).weights.isIdentical(to: weights))
      try Safetensors.write(weights, to: folder + "/b.safetensors")
      #expect { try Checkpoint.read(folder) } throws: {
        "\($0)".contains("name one of them: a.safetensors, b.safetensors")
      }
      try Safetensors.write(weights, to: folder + "/model.safetensors")
      #expect(try Checkpoint.read(folder).files == [folder + "/model.safetensors"])
    }
  }

  @Test func ofAStateOfTrainingTheWeightsAreTaken() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/state.safetensors"
      let one = try Tensor([1] as [Float])
      let state = Weights([("weights/w", one), ("exp_avg/w", one), ("velocity/w", one), ("updates", one)])
      try Safetensors.write(state, metadata: ["step": "3"], to: path)
      #expect(try Checkpoint.read(path).weights.names == ["w"])
      // Another library's names stay as they are.
      try Safetensors.write(state, to: path)
      #expect(try Checkpoint.read(path).weights.count == 4)
    }
  }

  @Test(arguments: [
    (Array("GGUF".utf8), "is a GGUF file"),
    (Array("version https://git-lfs.github.com/spec/v1\n".utf8), "git lfs pull"),
    (Array("<!DOCTYPE html>".utf8), "is a web page"), ([0x1F, 0x8B, 8], "compressed with gzip"),
  ])
  func otherFilesAreCalledByTheirName(_ start: [UInt8], _ words: String) throws {
    try withTemporaryFolder { folder in
      try Data(start + [UInt8](repeating: 0, count: 64)).write(to: URL(fileURLWithPath: folder + "/x"))
      #expect { try Checkpoint.read(folder + "/x") } throws: { "\($0)".contains(words) }
    }
  }

  /// The first bytes of a safetensors file are a length, which may look like the mark of another format.
  @Test(arguments: [0x0280, 0x0380, 0x0480, 0x0580, 0x8B1F])
  func aHeaderOfAnyLengthIsNoOtherFormat(_ length: Int) throws {
    try withTemporaryFolder { folder in
      let start = #"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#
      let header = start + String(repeating: " ", count: length - start.utf8.count - 1) + "}"
      let size = withUnsafeBytes(of: UInt64(length).littleEndian) { Data($0) }
      try (size + Data(header.utf8) + Data(count: 4)).write(to: URL(fileURLWithPath: folder + "/x"))
      #expect(try Checkpoint.read(folder + "/x").weights.names == ["w"])
    }
  }
}
