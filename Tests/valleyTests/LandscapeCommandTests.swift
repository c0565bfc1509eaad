import Checkpoints
import Foundation
import Testing
import Torch

extension EndToEnd {
  @Suite struct Landscape {
    @Test func pathsAndPlanes() throws {
      let scratch = Scratch()
      let weights = try Tiny.endpoints(scratch)
      let path = try Command.run(
        ["landscape", "path"] + weights.prefix(2) + ["--points", "5", "--json", "--out", scratch.path("path")]
          + ["--format", "svg", "--threads", "1", "--curve", "bezier", "--curve-epochs", "2"])
      #expect(path.code == 0, "\(path.err)")
      let summary = try Command.json(path.out)
      let paths = try #require(summary["paths"] as? [[String: Any]])
      #expect(paths.count == 2 && (paths[1]["curve"] as? [String: Any])?["shape"] as? String == "bezier")
      let measured = try #require(paths[0]["measure"] as? [String: Any])
      #expect(measured["positions"] as? [Double] == [0, 0.25, 0.5, 0.75, 1])
      let barrier = try #require(paths[0]["testBarrier"] as? [String: Any])
      #expect((barrier["signed"] as? [Double])?.count == 5 && (barrier["height"] as? Double ?? -1) >= 0)
      // The ends are as `valley eval` finds them.
      let evaluated = try Command.json(Command.run("eval", weights[0], "--json", "--threads", "1").out)
      let loss = (evaluated["splits"] as? [[String: Any]])?.first?["loss"] as? Double
      let first = ((measured["points"] as? [[String: Any]])?.first?["test"] as? [String: Any])?["loss"] as? Double
      #expect(abs(try #require(loss) - (try #require(first))) < 1e-6)
      #expect(scratch.exists("path/figures/path.csv") && scratch.exists("path/path.json"))
      if !path.err.contains("no figures") {
        #expect(scratch.exists("path/path.html") && scratch.exists("path/figures/path.svg"))
      }

      // Nothing is measured twice.
      let rows = scratch.size("path/points.jsonl")
      let again = try Command.run(
        ["landscape", "path"] + weights.prefix(2) + ["--points", "5", "--json", "--out", scratch.path("path")]
          + ["--format", "svg", "--threads", "1", "--curve", "bezier", "--curve-epochs", "2"])
      #expect(again.out == path.out && scratch.size("path/points.jsonl") == rows)

      let all = try Command.run(
        ["landscape", "path"] + weights + ["--all-pairs", "--points", "3", "--split", "test", "--examples", "32"])
      #expect(all.code == 0 && all.out.split(separator: "\n").count == 5, "\(all.out)\(all.err)")

      // Checkpoints of one name, from two runs.
      let other = scratch.path("other/\(URL(fileURLWithPath: weights[0]).lastPathComponent)")
      try FileManager.default.createDirectory(atPath: scratch.path("other"), withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: weights[1], toPath: other)
      let named = try Command.run("landscape", "path", weights[0], other, "--points", "2", "--json")
      let ends = try #require((try Command.json(named.out)["paths"] as? [[String: Any]])?.first)
      #expect(
        ends["to"] as? String == "other/\(paths[0]["from"] ?? "")" && ends["from"] as? String != ends["to"] as? String)

      let plane = try Command.run(
        ["landscape", "plane"] + weights + ["--size", "4", "--json", "--out", scratch.path("plane"), "--format", "svg"])
      #expect(plane.code == 0, "\(plane.err)")
      let grid = try #require(try Command.json(plane.out)["plane"] as? [String: Any])
      #expect((grid["points"] as? [Any])?.count == 16 && (grid["marks"] as? [Any])?.count == 3)
      let random = try Command.run(
        "landscape", "plane", "--random", weights[0], "--size", "3", "--low", "-0.5", "--json")
      #expect(random.code == 0 && random.out.contains("\"seed\" : 0"), "\(random.err)")
    }

    @Test func aPlaneGoesOnAfterAKill() throws {
      let scratch = Scratch()
      let weights = try Tiny.endpoints(scratch)
      let words =
        ["landscape", "plane"] + weights + ["--size", "16", "--threads", "1", "--json", "--format", "svg", "--out"]
      let killed = try Command(words + [scratch.path("a")])
      killed.wait { scratch.size("a/points.jsonl") > 2000 }
      killed.send(SIGKILL)
      _ = try killed.outcome()
      let rows = scratch.size("a/points.jsonl")
      let resumed = try Command.run(words + [scratch.path("a")])
      #expect(resumed.code == 0, "\(resumed.err)")
      let whole = try Command.run(words + [scratch.path("b")])
      #expect(resumed.out == whole.out && rows > 0)
      #expect(try Data(contentsOf: scratch.url("a/points.jsonl")) == Data(contentsOf: scratch.url("b/points.jsonl")))
    }

    @Test func transitions() throws {
      let scratch = Scratch()
      let study = """
        name: turn
        dataset: {name: glyphs, size: 8, train: 64, test: 64, noise: 0.4}
        model: {name: mlp, hidden: [8]}
        optimizer: {lr: 0.05}
        batch_size: 16
        schedule: {warmup: 1 epochs, stable: 3 epochs, decay: 1 epochs}
        branch: {every: 1 epochs}
        seeds: [0, 1]

        """
      let file = try scratch.write(study, "turn.yaml")
      let words = [
        "landscape", "transition", file, "--points", "3", "--threads", "1", "--format", "svg", "--json", "--out",
      ]
      let killed = try Command(words + [scratch.path("a")])
      killed.wait { killed.errors.contains("branch epoch") }
      killed.send(SIGKILL)
      _ = try killed.outcome()
      let found = try Command.run(words + [scratch.path("a")])
      #expect(found.code == 0, "\(found.err)")
      let summary = try Command.json(found.out)
      #expect(summary["budgetEpochs"] as? Double == 5 && (summary["transitionEpochs"] as? [Double])?.count == 2)
      let branches = try #require(summary["branches"] as? [[String: Any]])
      #expect(
        branches.allSatisfy { ($0["paths"] as? [Any])?.count == 2 && ($0["height"] as? [String: Any])?["lower"] != nil }
      )
      let (trained, sweep) = (summary["trainedSteps"] as? Int ?? 0, summary["sweepSteps"] as? Int ?? 0)
      #expect(trained > 0 && trained <= sweep)
      let whole = try Command.run(words + [scratch.path("b")])
      #expect(whole.out == found.out)
      let swept = try Command.run(
        [
          "landscape", "transition", file, "--points", "3", "--threads", "1", "--format", "svg", "--out",
          scratch.path("b"),
        ]
          + ["--sweep", "--branch-epochs", "1,2,4"])
      #expect(swept.code == 0 && swept.out.contains("steps where all branch points would have taken"), "\(swept.err)")
    }

    @Test func mistakes() throws {
      let scratch = Scratch()
      let weights = try Tiny.endpoints(scratch)
      func fails(_ arguments: [String], _ message: String) throws {
        let outcome = try Command.run(["landscape"] + arguments)
        #expect(outcome.code != 0 && outcome.err.contains(message), "\(arguments): \(outcome.err)")
      }
      try fails(["path", weights[0]], "a path needs two weights")
      try fails(["path"] + weights, "--all-pairs")
      try fails(["path", weights[0], scratch.path("none.pt")], "no such file")
      try fails(["plane"] + weights.prefix(2), "a plane goes through three")
      try fails(["plane", weights[0], weights[1], weights[0]], "lie on one line")
      try fails(["path"] + weights.prefix(2) + ["--batchnorm", "some"], "--batchnorm")
      try fails(["curvature", weights[0], "--steps", "2"], "--steps belongs to --density; add that too")
      try fails(["curvature", weights[0], "--towards", weights[0]], "is the same point as endpoint-40-0")
      try fails(["cka", weights[0], weights[1], "--layers", "nope"], "no layer 'nope'. Layers are penultimate")
      try fails(
        ["path"] + weights.prefix(2) + ["--set", "model.hidden=[9]"],
        "layers.0.weight is [8, ")
      try fails(["path"] + weights.prefix(2) + ["--set", "dataset.classes=4"], "expected [4, 8] float32")
      var broken = try Checkpoint.read(weights[1]).weights
      broken["layers.1.bias"] = try Tensor.full([10], .nan)
      let file = scratch.path("broken.safetensors")
      try Safetensors.write(broken, to: file)
      try fails(
        ["path", weights[0], file], "broken.safetensors: layers.1.bias [10] float32 has 10 of 10 elements that are NaN")
      let study = try scratch.write(Tiny.study, "s.yaml")
      try fails(["transition", study, "--out", scratch.path("t")], "choose it with --set optimizer.lr=…")
      try fails(["transition", study], "--out FOLDER is missing")
    }
  }
}
