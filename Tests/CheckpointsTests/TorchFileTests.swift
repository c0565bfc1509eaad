import Datasets
import Foundation
import Support
import TestSupport
import Testing
import Torch
import Weights

@testable import Checkpoints

@Suite struct TorchFileTests {
  private static func path(_ name: String) -> String { fixtureFolder.appendingPathComponent("torch/\(name)").path }

  @Test(arguments: ["zip.pt", "protocol4.pt", "legacy.pt"])
  func everyTypeAndViewIsWhatPyTorchSaved(_ name: String) throws {
    let expected = try Checkpoint.read(Self.path("expected.safetensors")).weights
    let checkpoint = try Checkpoint.read(Self.path(name))
    #expect(checkpoint.format == .pyTorch && checkpoint.weights.count == (name == "legacy.pt" ? 21 : 25))
    for (name, tensor) in checkpoint.weights {
      let wanted = try #require(expected[name])
      #expect(tensor.shape == wanted.shape && tensor.dtype == wanted.dtype && tensor.isContiguous(), "\(name)")
      #expect(try bytes(tensor) == bytes(wanted), "\(name)")
    }
    #expect(checkpoint.notes.contains { $0.contains("with others there") })
    // Tensors that shared memory in the file are independent here, and the file does not change.
    let a = try #require(checkpoint.weights["tied.a"])
    try a.fill(9)
    #expect(try bytes(#require(checkpoint.weights["tied.b"])) == bytes(#require(expected["tied.b"])))
    #expect(
      try bytes(#require(Checkpoint.read(Self.path(name)).weights["tied.a"])) == bytes(#require(expected["tied.a"])))
  }

  @Test func theNetworkIsFoundBesideWhatTrainingSaved() throws {
    let checkpoint = try Checkpoint.read(Self.path("training.pt"))
    #expect(checkpoint.weights.names == ["module.weight", "module.bias"])
    #expect(checkpoint.notes.contains("the weights are those under 'state_dict'"))
    #expect(try Checkpoint.read(Self.path("ambiguous.pt#generator")).weights.names == ["weight", "bias"])
    #expect(try Checkpoint.read(Self.path("ambiguous.pt#critic")).weights.names == ["w"])
  }

  @Test(arguments: [
    (
      "ambiguous.pt",
      "several dictionaries of tensors: 'generator' (2 tensors), 'critic' (1 tensors); name one by adding #"
    ),
    ("ambiguous.pt#w", "has no dictionary of tensors at 'w'; it has 'generator'"),
    ("tensor.pt", "holds a tensor, not a"),
    ("nothing.pt", "holds no tensors under names"), ("module.pt", "it would call torch.nn.modules.linear.Linear"),
    ("complex.pt", "it holds complex64 tensors, which Valley does not read"),
    ("hostile.pt", "it would call posix.system, which is not a part of weights; nothing was executed"),
    ("hostile-legacy.pt", "it would call posix.system"), ("torchscript.pt", "is a TorchScript program"),
    ("big-endian.pt", "was written on a big-endian machine"),
    ("compressed.pt", "is compressed, which torch.save never"),
    ("missing.pt", "there is no such file"), ("expected.safetensors#w", "is not a PyTorch file"),
  ])
  func whatIsNoNetworkIsRefused(_ name: String, _ words: String) throws {
    #expect {
      try Checkpoint.read(Self.path(name))
    } throws: { error in
      let matches = "\(error)".contains(words) && "\(error)".contains(name.prefix { $0 != "#" })
      if !matches { Issue.record("'\(words)' is not in '\(error)'") }
      return matches && error is FileError
    }
    #expect(!FileManager.default.fileExists(atPath: "/tmp/valley-was-here"))
  }

  // MARK: Pickles made by hand

  /// A file as before PyTorch 1.6 around a pickle, with one storage "0" of four numbers.
  private static func legacy(_ pickle: [UInt8]) -> Data {
    var file = Data([0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E])
    file += [0x80, 2, 0x4D, 0xE9, 0x03, 0x2E, 0x80, 2, 0x7D, 0x2E]
    let hasStorage = String(decoding: pickle, as: UTF8.self).contains("Storage")
    file += pickle + Array(hasStorage ? "(lV0\na.".utf8 : "(l.".utf8) + [4, 0, 0, 0, 0, 0, 0, 0]
    for number in 1...4 { withUnsafeBytes(of: Float(number)) { file.append(contentsOf: $0) } }
    return file
  }

  /// A pickle in protocol 0 of a dictionary with one tensor, `w`.
  private static func tensor(_ shape: [Int], _ strides: [Int], offset: Int = 0, count: Int = 4) -> [UInt8] {
    func numbers(_ values: [Int]) -> String { "(" + values.map { "I\($0)\n" }.joined() + "t" }
    return Array(
      ("}Vw\nctorch._utils\n_rebuild_tensor_v2\n((Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nI\(count)\ntQI\(offset)\n"
        + numbers(shape) + numbers(strides) + "I00\nNtRs.").utf8)
  }

  private static func read(_ pickle: [UInt8]) throws -> Weights {
    try withTemporaryFolder { folder in
      try legacy(pickle).write(to: URL(fileURLWithPath: folder + "/x.pt"))
      return try Checkpoint.read(folder + "/x.pt").weights
    }
  }

  @Test func viewsStayWithinTheirStorage() throws {
    #expect(try Self.read(Self.tensor([2, 2], [1, 2]))["w"]?.array(Float.self) == [1, 3, 2, 4])
    #expect(try Self.read(Self.tensor([2], [2], offset: 1))["w"]?.array(Float.self) == [2, 4])
    #expect(try Self.read(Self.tensor([3, 1], [0, 7], offset: 3))["w"]?.array(Float.self) == [4, 4, 4])
    for (pickle, words) in [
      (Self.tensor([5], [1]), "reaches beyond its storage of 16 bytes"),
      (Self.tensor([2], [1], offset: 3), "reaches beyond"), (Self.tensor([2], [4]), "reaches beyond"),
      (Self.tensor([1], [1], offset: Int.max), "is impossibly large"),
      (Self.tensor([Int.max, Int.max], [0, 0]), "is impossibly large"),
      (Self.tensor([2], [Int.max]), "is impossibly large"),
      (Self.tensor([0, Int.max, 4], [1, 1, 1]), "impossibly large"),
      (Self.tensor([1 << 40], [0]), "far more memory than the file has bytes"),
      (Self.tensor([-1], [1]), "are not what they should be"), (Self.tensor([2], [-1]), "are not what they should be"),
      (Self.tensor([2], [1, 1]), "are not what they should be"),
      (Self.tensor([4], [1], count: 9), "it has 9 elements, the file 4"),
    ] {
      #expect { try Self.read(pickle) } throws: { error in
        if !"\(error)".contains(words) { Issue.record("'\(words)' is not in '\(error)'") }
        return error is FileError
      }
    }
  }

  @Test func hostilePicklesAreRefusedInWords() throws {
    let deep = 300_000
    for (pickle, words) in [
      (Array("cos\nsystem\n(Vecho\ntR.".utf8), "it would call os.system"),
      ([0x80, 4, 0x8C, 8] + Array("builtins".utf8) + [0x8C, 4] + Array("eval".utf8) + [0x93, 0x2E], "builtins.eval"),
      (Array("(Vecho\nios\nsystem\n.".utf8), "in a way that torch.save never does"),
      (Array("cbuiltins\ngetattr\n.".utf8), "it would call builtins.getattr"),
      (Array("ctorch._utils\n_rebuild_qtensor\n.".utf8), "torch._utils._rebuild_qtensor"),
      (Array("P1\n.".utf8), "does not write opcode 80"), ([0x82, 1, 0x2E], "does not write opcode 130"),
      (Array("h".utf8) + [9, 0x2E], "refers to value 9, which it has not made"),
      (Array("R.".utf8), "its stack is empty"),
      (Array("(0.".utf8), "its stack is empty"), (Array("t.".utf8), "ends a list that it has not begun"),
      (Array("(N.".utf8), "it ends with 1 values"), (Array("NN.".utf8), "it ends with 2 values"),
      (Array("(NNNd.".utf8), "a key without a value"), (Array("N(R.".utf8), "its stack is empty"),
      (Array("K".utf8) + [1] + Array("K".utf8) + [1] + Array("a.".utf8), "it appends to a number"),
      (Array("X".utf8) + [0xFF, 0xFF, 0xFF, 0x7F], "it ends early"),
      ([0x8D] + [UInt8](repeating: 0xFF, count: 8), "a length is impossible"),
      ([0x8B, 0xFF, 0xFF, 0xFF, 0xFF], "a length is impossible"), ([0x8B, 0xFF, 0xFF, 0xFF, 0x7F], "it ends early"),
      (Array("V".utf8) + [0xC3, 0x28, 0x0A, 0x2E], "is not UTF-8"), (Array("N)Q.".utf8), "outside the pickle"),
      ([UInt8](repeating: 0x5D, count: deep) + [UInt8](repeating: 0x61, count: deep - 1) + [0x2E], "holds a list"),
      (Array(")".utf8) + [UInt8](repeating: 0x85, count: deep) + [0x2E], "holds a tuple"),
      (Array("}q".utf8) + [0] + Array("Va\nh".utf8) + [0] + Array("s.".utf8), "holds no tensors under names"),
    ] as [([UInt8], String)] {
      #expect { try Self.read(pickle) } throws: { error in
        if !"\(error)".contains(words) { Issue.record("'\(words)' is not in '\(error)'") }
        return error is FileError
      }
    }
    // A place in the memo may be huge.
    #expect(try Self.read([0x7D, 0x72, 0xFF, 0xFF, 0xFF, 0xFF, 0x30] + Self.tensor([4], [1])).count == 1)
    let many = [UInt8](repeating: 0x4E, count: 2_000)
    many.withUnsafeBytes { (bytes) -> Void in
      #expect { try Unpickler(bytes, mostValues: 1_000).read() } throws: { "\($0)".contains("more than 1000 values") }
    }
  }

  @Test(arguments: ["zip.pt", "legacy.pt", "training.pt"])
  func damagedFilesNeverCrash(_ name: String) throws {
    let good = try Data(contentsOf: URL(fileURLWithPath: Self.path(name)))
    var random = SplitMix64(5)
    var accepted = 0
    try withTemporaryFolder { folder in
      let path = folder + "/fuzz.pt"
      try Data().write(to: URL(fileURLWithPath: path))
      let handle = try #require(FileHandle(forWritingAtPath: path))
      for _ in 0..<800 {
        var file = good
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          let place = Int.random(in: 0..<file.count, using: &random)
          switch Int.random(in: 0..<4, using: &random) {
          case 0: file[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
          case 1: file[place] = UInt8.random(in: 0...255, using: &random)
          case 2: file.replaceSubrange(place..<min(place + 8, file.count), with: repeatElement(0xFF, count: 8))
          default: if Int.random(in: 0..<4, using: &random) == 0 { file = file.prefix(max(place, 1)) }
          }
        }
        try handle.seek(toOffset: 0)
        try handle.write(contentsOf: file)
        try handle.truncate(atOffset: UInt64(file.count))
        do {
          let weights = try Checkpoint.read(path).weights
          accepted += 1
          for tensor in weights.tensors { _ = try bytes(tensor) }
        } catch {
          #expect(error is FileError, "\(error)")
        }
      }
    }
    #expect(accepted > 40, "\(accepted) of 800 files were accepted")
  }
}
