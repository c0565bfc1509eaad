import Checkpoints
import Foundation
import Testing
import Torch
import Weights

extension EndToEnd {
  @Suite struct MergeRecipes {
    private static func models(_ scratch: Scratch, count: Int = 3) throws {
      for (name, values) in [("a", [3, 1, -1] as [Float]), ("b", [1, 5, 1]), ("c", [1, 1, 1])].prefix(count) {
        try FileManager.default.createDirectory(at: scratch.url(name), withIntermediateDirectories: true)
        try Safetensors.write(Weights([("w", Tensor(values))]), to: scratch.path(name + "/model.safetensors"))
        _ = try scratch.write("{\"torch_dtype\": \"float32\"}\n", name + "/config.json")
      }
    }

    private static let ties = """
      merge_method: ties
      base_model: c
      models:
        - {model: a, parameters: {weight: 0.5}}
        - {model: b, parameters: {weight: 2}}
      parameters: {density: 0.4, lambda: 3}
      """

    @Test func aRecipeBecomesAFolder() throws {
      let scratch = Scratch()
      try Self.models(scratch)
      let (recipe, out) = (try scratch.write(Self.ties, "r.yml"), scratch.path("out"))
      let check = try Command.run("merge", recipe, out, "--check", "--json")
      #expect(check.code == 0 && check.out.contains("\"parameters\" : 3"), "\(check.err)")
      let plan = try Command.run("merge", recipe, "--plan")
      #expect(plan.out.contains("w [3] float32\n  ties(a: w, b: w, c: w, density=0.4,0.4"), "\(plan.out)\(plan.err)")
      #expect(!scratch.exists("out"))

      let merged = try Command.run("merge", recipe, out, "--verify", "--threads", "2")
      #expect(merged.code == 0 && merged.out.contains("read again"), "\(merged.err)")
      let weights = try Safetensors.read(out + "/model.safetensors").weights
      #expect(try weights["w"]?.array(Float.self) == [7, 13, 1])
      #expect(scratch.exists("out/config.json") && scratch.exists("out/README.md") && scratch.exists("out/recipe.yml"))
      #expect(try Command.run("merge", recipe, out).err.contains("exists; add --force"))
      #expect(try Command.run("merge", recipe, out, "--force").code == 0)

      // The same without a recipe; the one it writes gives the same again.
      let direct = try Command.run(
        "merge", "ties", scratch.path("a"), scratch.path("b"), "--base", scratch.path("c"), "--density", "0.4",
        "--weights", "0.5,2", "--set", "lambda=3", "-o", scratch.path("direct"))
      #expect(direct.code == 0, "\(direct.err)")
      let again = try Command.run("merge", scratch.path("direct/recipe.yml"), scratch.path("again"))
      #expect(again.code == 0, "\(again.err)")
      for name in ["direct", "again"] {
        #expect(
          try Data(contentsOf: scratch.url(name + "/model.safetensors"))
            == Data(contentsOf: scratch.url("out/model.safetensors")))
      }
    }

    @Test func mistakesAreToldBeforeAWeightIsRead() throws {
      let scratch = Scratch()
      try Self.models(scratch)
      func run(_ text: String, _ words: String..., arguments: [String] = []) throws {
        let outcome = try Command.run(
          ["merge", scratch.write(text, "r.yml"), scratch.path("out")] + arguments)
        #expect(outcome.code != 0 && words.allSatisfy { outcome.err.contains($0) }, "\(outcome.err)")
        #expect(scratch.names == ["a", "b", "c", "r.yml"])
      }
      try run(Self.ties.replacingOccurrences(of: "lambda", with: "lamda"), "r.yml:6:", "did you mean `lambda`?")
      try run(Self.ties.replacingOccurrences(of: "base_model: c", with: "dtype: float16"), "ties needs the base")
      try run(Self.ties.replacingOccurrences(of: "model: b", with: "model: none"), "none: is no file or folder")
      try run(
        Self.ties.replacingOccurrences(of: "model: b", with: "model: org/none"), "huggingface-cli download org/none")
      try run(Self.ties, "--base is for merges without a recipe", arguments: ["--base", "c"])
      try run(Self.ties, "--threads is 0; expected 1 … 1024", arguments: ["--threads", "0"])
      try run(Self.ties, "large is not a size; expected one such as 500MB", arguments: ["--shard-size", "large"])
      try run("- 1", "is a list; expected a mapping")
      // Of several recipes one has to know which does not fit.
      let small = "merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: small.safetensors}]"
      try Safetensors.write(Weights([("w", Tensor([1 as Float]))]), to: scratch.path("small.safetensors"))
      let misfit = try Command.run("merge", scratch.write(small, "r.yml"), "--check")
      #expect(
        misfit.err.contains("r.yml: the inputs do not fit together") && misfit.err.contains("[1]"), "\(misfit.err)")
      try FileManager.default.removeItem(at: scratch.url("small.safetensors"))

      // What the error advises can be said without a recipe, too, and is in the one that is written.
      try Safetensors.write(
        Weights([("w", Tensor([1, 2, 3] as [Float])), ("v", Tensor([1 as Float]))]),
        to: scratch.path("more.safetensors"))
      let pair = ["merge", "linear", scratch.path("a"), scratch.path("more.safetensors"), "-o", scratch.path("both")]
      #expect(try Command.run(pair).err.contains("v: is missing in"))
      let dropped = try Command.run(pair + ["--missing-tensors", "drop"])
      #expect(dropped.code == 0 && dropped.err.contains("drop leaves out what not all have: v"), "\(dropped.err)")
      let written = try String(contentsOf: scratch.url("both/recipe.yml"), encoding: .utf8)
      #expect(written.contains("missing_tensors: drop"))
      for name in ["both", "more.safetensors"] { try FileManager.default.removeItem(at: scratch.url(name)) }
      let empty = try Command.run("merge", "linear", scratch.path("a"), scratch.path("b"), "-o", "")
      #expect(empty.code == 64 && empty.err.contains("-o is empty"), "\(empty.err)")
      let baseless = try Command.run("merge", "ties", scratch.path("a"), scratch.path("b"), "-o", scratch.path("out"))
      #expect(
        baseless.code == 64
          && baseless.err.contains("name the weights that the models were fine-tuned from with --base"),
        "\(baseless.err)")
      #expect(try Command.run("merge", "tise", "a", "b", "-o", "out").err.contains("did you mean ties?"))
      #expect(try Command.run("merge", scratch.path("none.yml"), "out").err.contains("cannot be read"))
      let locked = scratch.path("locked")
      try FileManager.default.createDirectory(atPath: locked, withIntermediateDirectories: true)
      guard getuid() != 0 else { return }
      chmod(locked, 0o555)
      #expect(try Command.run("merge", scratch.path("r.yml"), locked + "/out").err.contains("no permission"))
    }

    /// Ctrl-C in the middle leaves what was there before.
    @Test func interruptedMergesLeaveNothing() throws {
      let scratch = Scratch()
      let generator = try Generator(seed: 1)
      // More threads than cores, so that nobody is idle to hear of it.
      let threads = 2 * ProcessInfo.processInfo.activeProcessorCount
      let size = [(1 << 23) / threads]
      for (name, isZero) in [("a", false), ("base", true)] {
        let tensors = try (0..<threads).map {
          ("w\($0)", isZero ? try Tensor.zeros(size) : try Tensor.normal(size, generator: generator))
        }
        try Safetensors.write(Weights(tensors), to: scratch.path("\(name).safetensors"))
      }
      let models = [String](repeating: scratch.path("a.safetensors"), count: 20)
      let command = try Command(
        [
          "merge", "della", "--density", "0.5", "--base", scratch.path("base.safetensors"), "-o", scratch.path("out"),
          "--threads", "\(threads)",
        ] + models)
      command.wait { command.errors.contains("merging ") }
      #expect(scratch.names.contains { $0.hasSuffix(".tmp") })
      command.send(SIGINT)
      let start = Date()
      let outcome = try command.outcome()
      #expect(outcome.code == 130 && outcome.err.contains("nothing was written"), "\(outcome.err)")
      // After the pieces in work, not when all is done.
      #expect(Date().timeIntervalSince(start) < 1.5)
      #expect(scratch.names == ["a.safetensors", "base.safetensors"])
    }

    /// A disk that fills up on the way, for which a limit on files' sizes stands in.
    @Test func fullDisksLeaveNothing() throws {
      let scratch = Scratch()
      for name in ["a", "b"] {
        try Safetensors.write(
          Weights([("w", Tensor.zeros([300_000]))]), to: scratch.path("\(name).safetensors"))
      }
      for output in ["out", "out.safetensors"] {
        let command = try Command(
          [
            "-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"", Command.executable.path, "merge", "linear",
            scratch.path("a.safetensors"), scratch.path("b.safetensors"), "-o", scratch.path(output),
          ], program: URL(fileURLWithPath: "/bin/sh"))
        let outcome = try command.outcome()
        #expect(outcome.code == 1 && outcome.err.contains("cannot be written"), "\(outcome.err)")
        #expect(scratch.names == ["a.safetensors", "b.safetensors"])
      }
    }

    @Test func whatHasNoEffectIsSaid() throws {
      let scratch = Scratch()
      try Self.models(scratch)
      let text = """
        merge_method: passthrough
        slices: [{sources: [{model: d, layer_range: [0, 1]}], residual_weight: 0.5}]
        """
      try FileManager.default.createDirectory(at: scratch.url("d"), withIntermediateDirectories: true)
      try Safetensors.write(Weights([("layers.0.w", Tensor.zeros([2]))]), to: scratch.path("d/model.safetensors"))
      let outcome = try Command.run("merge", scratch.write(text, "r.yml"), "--check")
      #expect(outcome.code == 0 && outcome.err.contains("residual_weight: mergekit reads it and makes no use of it"))
    }

    @Test func aMethodIsDescribed() throws {
      let one = try Command.run("merge", "methods", "ties")
      #expect(one.code == 0 && one.out.contains("ties: keep the largest") && !one.out.contains("slerp: "))
      #expect(try Command.run("merge", "methods", "tise").code == 64)
    }
  }
}
