import Checkpoints
import Foundation
import Testing
import Torch
import Weights

extension EndToEnd {
  @Suite struct Align {
    /// An MLP 192-8-10 with random weights; `order` permutes its hidden units.
    private func network(_ seed: UInt64, order: [Int] = Array(0..<8), dtype: DType = .float32) throws -> Weights {
      let random = try Generator(seed: seed)
      let (first, second) = (
        try Tensor.normal([8, 192], generator: random), try Tensor.normal([10, 8], generator: random)
      )
      let (bias, last) = (try Tensor.normal([8], generator: random), try Tensor.normal([10], generator: random))
      let indices = try Tensor(order)
      return try Weights([
        ("layers.0.weight", first.indexSelect(0, indices)), ("layers.0.bias", bias.indexSelect(0, indices)),
        ("layers.1.weight", second.indexSelect(1, indices)), ("layers.1.bias", last),
      ]).to(dtype)
    }

    private let order = [3, 1, 0, 7, 6, 5, 4, 2]
    private let data =
      ["--set", "batch_size=16", "--data", "glyphs", "--model", "mlp", "--set", "model.hidden=[8]"]
      + Tiny.options(Tiny.data)

    @Test func undoesAPermutationAndKeepsNamesAndTypes() throws {
      let scratch = Scratch()
      let (a, b, out) = (scratch.path("a.safetensors"), scratch.path("b.safetensors"), scratch.path("out.safetensors"))
      try Safetensors.write(network(1), to: a)
      let permuted = try network(1, order: order, dtype: .bfloat16)
      try Safetensors.write(
        Weights(zip(permuted.names.map { "module." + $0 }, permuted.tensors) + [("extra", try .ones([2]))]), to: b)
      // Names of another wrapping come back as they were, and what the network does not know is refused.
      let refused = try Command.run("align", a, b, "-o", out)
      #expect(refused.code == 1 && refused.err.contains("extra"), "\(refused.err)")
      try Safetensors.write(Weights(zip(permuted.names.map { "module." + $0 }, permuted.tensors)), to: b)
      let outcome = try Command.run("align", a, b, "-o", out, "--json")
      #expect(outcome.code == 0, "\(outcome.err)")
      let aligned = try Safetensors.read(out)
      let expected = try network(1, dtype: .bfloat16)
      #expect(
        try aligned.weights.isIdentical(to: Weights(zip(expected.names.map { "module." + $0 }, expected.tensors))))
      #expect(aligned.metadata["align.reference"] == "a.safetensors")
      let json = try #require(try JSONSerialization.jsonObject(with: Data(outcome.out.utf8)) as? [String: Any])
      let rows = try #require(json["networks"] as? [[String: Any]])
      #expect(rows[0]["moved"] as? Int == 6 && rows[0]["isConverged"] as? Bool == true)
      // Existing results are not overwritten by accident.
      #expect(try Command.run("align", a, b, "-o", out).err.contains("add --force"))
    }

    @Test(arguments: ["weight", "activation", "straight-through"])
    func measuresTheBarrierBeforeAndAfter(_ method: String) throws {
      let scratch = Scratch()
      let (a, b, out) = (scratch.path("a.safetensors"), scratch.path("b.safetensors"), scratch.path("out.safetensors"))
      try Safetensors.write(network(1), to: a)
      try Safetensors.write(network(1, order: order), to: b)
      let merged = scratch.path("merged.safetensors")
      let outcome = try Command.run(
        ["align", a, b, "-o", out, "--method", method, "--repair", "--merged", merged, "--json"]
          + (method == "straight-through" ? ["--steps", "2"] : [])
          + ["--threads", "1"] + data)
      #expect(outcome.code == 0, "\(outcome.err)")
      let json = try #require(try JSONSerialization.jsonObject(with: Data(outcome.out.utf8)) as? [String: Any])
      let paths = try #require(json["paths"] as? [[String: Any]])
      #expect(paths.map { $0["state"] as? String } == ["as given", "aligned", "aligned, repaired"])
      let barriers = paths.compactMap { $0["testBarrier"] as? Double }
      #expect(barriers.count == 3)
      // Both are one network, so that nothing lies between them once they are aligned.
      if method == "weight" { #expect(abs(barriers[1]) < 1e-5) }
      #expect(try Safetensors.read(merged).weights.names == network(1).names)
      let text = try Command.run(["align", a, b, "-o", out, "--force"] + data)
      #expect(text.out.contains("units in 1 groups moved") && text.out.contains("test barrier"), "\(text.err)")
    }

    @Test func bringsSeveralToTheirMean() throws {
      let scratch = Scratch()
      let paths = try (0..<3).map { index in
        let path = scratch.path("n\(index).safetensors")
        try Safetensors.write(network(1, order: index == 0 ? Array(0..<8) : Array(order.reversed())), to: path)
        return path
      }
      let out = scratch.path("out")
      let outcome = try Command.run(["align"] + paths + ["-o", out, "--reference", "mean"])
      #expect(outcome.code == 0 && outcome.out.contains("distance from the mean"), "\(outcome.err) \(outcome.out)")
      let found = try (0..<3).map { try Safetensors.read("\(out)/n\($0).safetensors").weights }
      #expect(try found[0].isIdentical(to: found[1]) && found[1].isIdentical(to: found[2]))
      let first = try Command.run(["align"] + paths + ["-o", scratch.path("first")])
      #expect(first.code == 0 && !scratch.exists("first/n0.safetensors") && scratch.exists("first/n2.safetensors"))
    }

    @Test func tellsWhatCannotBeAligned() throws {
      let scratch = Scratch()
      let (a, b, out) = (scratch.path("a.safetensors"), scratch.path("b.safetensors"), scratch.path("out.safetensors"))
      try Safetensors.write(network(1), to: a)
      let bad = try network(2)
      var wide = bad
      wide["layers.0.bias"] = try .zeros([9])
      var broken = bad
      broken["layers.1.bias"] = try Tensor([Float](repeating: .nan, count: 10))
      for (weights, words) in [
        (wide, "layers.0.bias is [9] float32, expected [8] float32"),
        (broken, "layers.1.bias [10] float32 has 10 of 10 elements that are NaN or infinite"),
      ] {
        try Safetensors.write(weights, to: b)
        let outcome = try Command.run("align", a, b, "-o", out)
        #expect(
          outcome.code == 1 && outcome.err.contains(words) && !scratch.exists("out.safetensors"), "\(outcome.err)")
      }
      let foreign = scratch.path("foreign.safetensors")
      try Safetensors.write(Weights([("w", try .ones([2]))]), to: foreign)
      #expect(try Command.run("align", foreign, a, "-o", out).err.contains("its names match no network here"))
      try Safetensors.write(bad, to: b)
      for (arguments, words) in [
        ([a, "-o", out], "two networks or more"), ([a, b, "-o", scratch.path("x")], "ends in .safetensors"),
        ([a, b, a, "-o", out], "to a folder"), ([a, b, "-o", out, "--points", "2"], "--points is 2"),
        ([a, b, "-o", out, "--repair-form", "closed"], "--repair-form belongs to --repair; add that too"),
        ([a, b, "-o", out, "--steps", "5"], "--steps belongs to --method straight-through, not to weight"),
        (
          [a, b, "-o", scratch.path("x"), "--reference", "mean", "--method", "activation"], "goes with --method weight"
        ),
      ] {
        let outcome = try Command.run(["align"] + arguments)
        #expect(outcome.code == 64 && outcome.err.contains(words), "\(outcome.err)")
      }
      for arguments in [["--method", "activation"], ["--repair"]] {
        let outcome = try Command.run(["align", a, b, "-o", out] + arguments)
        #expect(outcome.code == 1 && outcome.err.contains("needs data"), "\(outcome.err)")
      }
    }
  }
}
