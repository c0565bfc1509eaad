import Checkpoints
import Foundation
import Testing
import Torch
import Weights

extension EndToEnd {
  /// Each must end with a code other than 0 and the words that help, and leave nothing half-made.
  @Suite struct BadInput {
    private func expect(
      _ outcome: Command.Outcome, _ words: String..., location: SourceLocation = #_sourceLocation
    ) {
      #expect(outcome.code != 0, sourceLocation: location)
      // Ended by itself, not by a signal.
      #expect(outcome.code < 128, "\(outcome.err)", sourceLocation: location)
      for word in words { #expect(outcome.err.contains(word), "\(outcome.err)", sourceLocation: location) }
    }

    @Test func missingData() throws {
      let scratch = Scratch()
      let outcome = try Command.run(
        "train", "--data", "cifar10", "--data-path", scratch.path("none"), "-o", scratch.path("run"))
      expect(outcome, scratch.path("none"))
      #expect(scratch.names.isEmpty)
    }

    @Test func truncatedCIFARFile() throws {
      let scratch = Scratch()
      let folder = scratch.url("cifar/cifar-10-batches-bin")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      for name in (1...5).map({ "data_batch_\($0).bin" }) + ["test_batch.bin"] {
        try Data(count: 3073 * 2 - (name == "data_batch_3.bin" ? 5 : 0)).write(to: folder.appendingPathComponent(name))
      }
      let outcome = try Command.run(
        "train", "--data", "cifar10", "--data-path", scratch.path("cifar"), "-o", scratch.path("run"))
      expect(outcome, "data_batch_3.bin", "6141")
      #expect(scratch.names == ["cifar"])
    }

    @Test(arguments: [
      ("model:\n\thidden: [8]\n", [":2:1:", "a tab in the indentation"]),
      ("optimiser: {lr: 0.1}\n", [":1:1: optimiser:", "did you mean `optimizer`?"]),
      ("optimizer: {lr: -0.1}\n", [":1:17: optimizer.learning_rate: is -0.1; expected a number above 0"]),
      ("dataset: {train: 100}\nbatch_size: 128\n", [":2:13: batch_size:", "larger than the training set of 100"]),
    ])
    func studyFiles(_ text: String, _ words: [String]) throws {
      let scratch = Scratch()
      let file = try scratch.write(text, "bad.yaml")
      for arguments in [
        ["train", file, "-o", scratch.path("run")], ["study", "run", file, "--out", scratch.path("study")],
        ["study", "plan", file],
      ] {
        let outcome = try Command.run(arguments)
        #expect(outcome.code != 0)
        for word in words { #expect(outcome.err.contains(word), "\(outcome.err)") }
      }
      #expect(scratch.names == ["bad.yaml"])
    }

    @Test func settingsOnTheCommandLine() throws {
      let scratch = Scratch()
      func train(_ arguments: String...) throws -> Command.Outcome {
        try Command.run(["train"] + arguments + ["-o", scratch.path("run")])
      }
      expect(try train("--lr", "-1"), "optimizer.learning_rate: is -1.0; expected a number above 0")
      expect(try train("--set", "optimizer.lrr=1"), "did you mean `lr`?")
      expect(try train("--model", "resnet19"), "did you mean `resnet18`?")
      expect(try train("--set", "lr"), "expected KEY=VALUE")
      expect(try train("--optimizer", "adam"), "did you mean `adamw`?")
      expect(try train("--optimizer", "adamw", "--betas", "0.9"), "optimizer.betas: has 1 number; expected two")
      expect(try train("--freeze", "layr1"), "freeze: the network has no parameter layr1", "layer1")
      expect(try train("none.yaml"), "none.yaml", "No such file")
      expect(try train("--batch-size", "4001"), "larger than the training set of 4000")
      let study = try scratch.write(Tiny.study, "study.yaml")
      expect(try train(study), "declares 2 runs", "--set optimizer.lr=…", "valley study run")
      #expect(scratch.names == ["study.yaml"])
    }

    @Test func damagedAndForeignCheckpoints() throws {
      let scratch = Scratch()
      #expect(try Command.run(Tiny.train(scratch.path("run"))).code == 0)
      #expect(try Command.run(Tiny.train(scratch.path("wide"), "model.hidden=[16]")).code == 0)
      let (good, half) = ("run/checkpoints/endpoint-40-0.safetensors", "run/checkpoints/endpoint-40-1.safetensors")
      let foreign = scratch.path("wide/checkpoints/endpoint-40-0.safetensors")
      try scratch.halve(half)
      let out = scratch.path("merged.safetensors")

      expect(try Command.run("eval", scratch.path(half)), scratch.path(half), "lie outside the file's")
      expect(try Command.run("merge", scratch.path(good), scratch.path(half), "-o", out), scratch.path(half))
      // Every tensor that does not fit is named.
      expect(
        try Command.run("eval", foreign, "--run", scratch.path("run")), foreign,
        "layers.0.weight is [16, 192] float32, expected [8, 192] float32", "layers.0.bias",
        "layers.1.weight is [10, 16] float32, expected [10, 8] float32")
      expect(
        try Command.run("merge", scratch.path(good), foreign, "-o", out), foreign, "layers.0.weight", "layers.0.bias",
        "layers.1.weight")
      expect(try Command.run("eval", scratch.path("none.safetensors")), "none.safetensors", "there is no such file")
      expect(try Command.run("eval", scratch.path("run/run.json")), "run.json")
      #expect(scratch.names == ["run", "wide"])
    }

    @Test func aCheckpointCutInHalfToResumeFrom() throws {
      let scratch = Scratch()
      let arguments = Tiny.train(scratch.path("run"), "schedule.stable=1500 steps", "branch.every=1500 steps")
      let command = try Command(arguments)
      command.wait { scratch.size("run/metrics.jsonl") > 20_000 }
      command.send(SIGINT)
      #expect(try command.outcome().code == 130)
      try scratch.halve("run/checkpoints/resume.safetensors")
      let metrics = scratch.size("run/metrics.jsonl")
      let outcome = try Command.run(arguments)
      expect(outcome, scratch.path("run/checkpoints/resume.safetensors"), "Delete", "starts over")
      #expect(scratch.size("run/metrics.jsonl") == metrics)
      // What the message says to do helps.
      try FileManager.default.removeItem(at: scratch.url("run/checkpoints"))
      #expect(try Command.run(arguments).code == 0)
    }

    @Test func merges() throws {
      let scratch = Scratch()
      func write(_ values: [Float], _ name: String) throws -> String {
        let weights = Weights([("w", try Tensor(values)), ("v", try Tensor([1, 2] as [Float]))])
        try Safetensors.write(weights, to: scratch.path(name))
        return scratch.path(name)
      }
      let (a, b) = (try write([1, 2, 3], "a.safetensors"), try write([3, 2, 1], "b.safetensors"))
      let bad = try write([1, .nan, 3], "bad.safetensors")
      let out = scratch.path("out.safetensors")
      expect(try Command.run("merge", a, bad, "-o", out), "w would have NaN", "bad.safetensors", "nothing was written")
      expect(try Command.run("merge", a, b, "--alpha", "1.5", "-o", out), "--extrapolate")
      expect(try Command.run("merge", a, b, "--alpha", "-0.5", "-o", out), "--extrapolate")
      expect(try Command.run("merge", a, "-o", out), "two or more")
      expect(try Command.run("merge", a, b, "--weights", "0.5,0.2,0.3", "-o", out), "3 coefficients for 2 models")
      expect(try Command.run("merge", a, b, "--weights", "0.5,x", "-o", out), "expected numbers")
      expect(try Command.run("merge", a, b, a, "--alpha", "0.5", "-o", out), "--weights")
      expect(try Command.run("merge", a, b, "-o", scratch.path("none/out.safetensors")), "none/out.safetensors")
      #expect(scratch.names == ["a.safetensors", "b.safetensors", "bad.safetensors"])

      #expect(try Command.run("merge", a, b, "--alpha", "1.5", "--extrapolate", "-o", out).code == 0)
      expect(try Command.run("merge", a, b, "-o", out), "exists", "--force")
      #expect(try Safetensors.read(out).weights["w"]?.array(Float.self) == [4, 2, 0])
      #expect(try Command.run("merge", a, b, a, "--weights", "0.25,0.5,0.25", "--force", "-o", out).code == 0)
      let result = try Safetensors.read(out)
      #expect(try result.weights["w"]?.array(Float.self) == [2, 2, 2])
      #expect(result.metadata["merge.method"] == "linear")
      #expect(result.metadata["merge.inputs"]?.contains(#""coefficient":0.5,"file":"b.safetensors","sha256":"#) == true)
      // α = 0 is the first model.
      #expect(try Command.run("merge", a, b, "--alpha", "0", "--force", "-o", out).code == 0)
      #expect(try Safetensors.read(out).weights.isIdentical(to: Safetensors.read(a).weights))
    }

    /// In a mount namespace of its own, a small file system in memory: filled, it stops the run; with room again, the
    /// run goes on.
    @Test(.enabled(if: Namespace.isAvailable, "a file system in memory cannot be mounted here"))
    func aFullDisk() throws {
      let scratch = Scratch()
      #expect(try Command.run(Tiny.train(scratch.path("whole"))).code == 0)
      let arguments = Tiny.train("run").map { "'\($0)'" }.joined(separator: " ")
      let valley = "'\(Command.executable.path)'"
      let script = """
        mount -t tmpfs -o size=2m tmpfs '\(scratch.folder.path)' && cd '\(scratch.folder.path)' || exit 9
        head -c 2060000 /dev/zero > filling
        \(valley) \(arguments) > out 2> /dev/shm/valley-$$ && exit 8
        cat /dev/shm/valley-$$ >&2; rm /dev/shm/valley-$$
        rm filling
        ls -A . run run/checkpoints | grep tmp && exit 7
        \(valley) \(arguments) > /dev/null 2>&1 || exit 6
        cat run/results.jsonl
        """
      let outcome = try Command(Namespace.options + ["sh", "-c", script], program: Namespace.program).outcome()
      #expect(outcome.code == 0, "\(outcome.err)")
      #expect(outcome.err.contains("No space left on device"), "\(outcome.err)")
      #expect(outcome.out == String(decoding: try scratch.results("whole")["results.jsonl"] ?? Data(), as: UTF8.self))
    }

    private enum Namespace {
      static let program = URL(fileURLWithPath: "/usr/bin/unshare")
      static let options = ["--user", "--map-root-user", "--mount"]
      static let isAvailable: Bool = {
        let arguments = options + ["sh", "-c", "mount -t tmpfs -o size=1m tmpfs /tmp && test -w /dev/shm"]
        return (try? Command(arguments, program: program).outcome().code == 0) ?? false
      }()
    }
  }
}
