import Checkpoints
import Foundation
import Testing
import Torch
import Weights

extension EndToEnd {
  @Suite struct CompareCommands {
    private static func models(_ scratch: Scratch) throws {
      let generator = try Generator(seed: 3)
      let base = try Weights([
        ("layers.0.q.weight", Tensor.normal([12, 8], generator: generator)),
        ("layers.1.q.weight", Tensor.normal([12, 8], generator: generator)),
        ("norm.weight", Tensor.normal([8], generator: generator)),
      ])
      try Safetensors.write(base, metadata: ["author": "me"], to: scratch.path("base.safetensors"))
      for name in ["a", "b"] {
        let tuned = try base.mapTensors { try $1 + Tensor.normal($1.shape, generator: generator) * 0.1 }
        try Safetensors.write(tuned, to: scratch.path("\(name).safetensors"))
      }
    }

    private static func object(_ text: String) throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func inspectListsWhatIsThere() throws {
      let scratch = Scratch()
      try Self.models(scratch)
      let path = scratch.path("base.safetensors")
      let plain = try Command.run("inspect", path)
      #expect(plain.code == 0 && plain.out.contains("12 × 8") && plain.out.contains("author: me"), "\(plain.err)")
      #expect(plain.out.contains("3 tensors, 200 numbers (200 float32), 800 bytes, safetensors, 1 file"))
      let json = try Self.object(try Command.run("inspect", path, "--json", "--only", "*q*").out)
      #expect(json["parameters"] as? Int == 192)
      #expect(try Command.run("inspect", path, "--only", "none").err.contains("no tensor is called none"))
      #expect(try Command.run("inspect", scratch.path("none")).err.contains("there is no such file"))

      #expect(try Command.run("inspect", path, "--check").code == 0)
      try Safetensors.write(
        Weights([("bad", Tensor([1, .nan] as [Float])), ("empty", Tensor([0, 0] as [Float]))]), to: path)
      let bad = try Command.run("inspect", path, "--check")
      #expect(bad.code == 1 && bad.out.contains("1 NaN or infinite") && bad.out.contains("all 0"))
    }

    @Test func diffComparesAndDraws() throws {
      let scratch = Scratch()
      try Self.models(scratch)
      let (a, b, base) = (
        scratch.path("a.safetensors"), scratch.path("b.safetensors"), scratch.path("base.safetensors")
      )
      let plain = try Command.run("diff", a, b, "--base", base, "--spectrum", "--out", scratch.path("out"))
      #expect(plain.code == 0 && plain.out.contains("sign conflicts") && plain.out.contains("of 8"), "\(plain.err)")
      let table = try String(contentsOf: scratch.url("out/difference.csv"), encoding: .utf8)
      #expect(table.contains("layers.1.q.weight,1,q,") && scratch.exists("out/difference.vl.json"))
      let figure = try String(contentsOf: scratch.url("out/difference.vl.json"), encoding: .utf8)
      #expect(figure.contains("A: a.safetensors, B: b.safetensors, base: base.safetensors"))
      let json = try Self.object(try Command.run("diff", a, a, "--json").out)
      let rows = try #require(json["rows"] as? [[String: Any]])
      #expect(rows.count == 3 && rows.allSatisfy { $0["distance"] as? Double == 0 })
      try Safetensors.write(Weights([("x", Tensor.zeros([1]))]), to: scratch.path("other.safetensors"))
      #expect(try Command.run("diff", a, scratch.path("other.safetensors")).err.contains("no tensor of the same name"))
    }

    /// What is extracted at full rank and added to the base again is the fine-tune.
    @Test func extractedAdaptersAreMergedAgain() throws {
      let scratch = Scratch()
      try Self.models(scratch)
      let (a, base, lora) = (scratch.path("a.safetensors"), scratch.path("base.safetensors"), scratch.path("lora"))
      let made = try Command.run("extract-lora", a, base, "-o", lora, "--rank", "8")
      #expect(made.code == 0 && made.out.contains("0.00 % of the change is left out"), "\(made.err)")
      let configuration = try Self.object(String(contentsOf: scratch.url("lora/adapter_config.json"), encoding: .utf8))
      #expect(configuration["peft_type"] as? String == "LORA" && configuration["r"] as? Int == 8)
      #expect(configuration["target_modules"] as? [String] == ["layers.0.q", "layers.1.q"])
      #expect(configuration["modules_to_save"] as? [String] == ["norm"])
      let merged = try Command.run(
        "merge", "passthrough", "\(base)+\(lora)", "-o", scratch.path("again.safetensors"))
      #expect(
        merged.code == 0 && merged.out.contains("passthrough(base.safetensors+lora,"), "\(merged.out)\(merged.err)")
      let (again, tuned) = try (
        Safetensors.read(scratch.path("again.safetensors")).weights, Safetensors.read(a).weights
      )
      #expect(try (again - tuned).norm() < 1e-4 * tuned.norm())

      #expect(try Command.run("extract-lora", a, base, "-o", lora).err.contains("add --force"))
      let low = try Command.run("extract-lora", a, base, "-o", lora, "--rank", "1", "--force", "--json")
      #expect(try #require(Self.object(low.out)["error"] as? Double) > 0.1)
      #expect(try Command.run("extract-lora", a, base, "-o", lora, "--rank", "0").code == 64)
      #expect(try Command.run("extract-lora", a, base, "-o", lora, "--dtype", "int8").code == 64)
      #expect(try Command.run("extract-lora", base, base, "-o", scratch.path("l")).err.contains("does not differ"))
    }
  }
}
