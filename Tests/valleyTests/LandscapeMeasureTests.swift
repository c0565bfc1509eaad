import Checkpoints
import Foundation
import Testing
import Torch

extension EndToEnd {
  @Suite struct LandscapeMeasures {
    @Test func curvatureSimilarityAndDisagreement() throws {
      let scratch = Scratch()
      let weights = try Tiny.endpoints(scratch)
      let curvature = try Command.run(
        "landscape", "curvature", weights[0], "--top", "3", "--bottom", "1", "--density", "--steps", "8", "--probes",
        "2",
        "--towards", weights[1], "--json", "--verify", "--out", scratch.path("curvature"), "--format", "svg",
        "--threads",
        "1")
      #expect(curvature.code == 0, "\(curvature.err)")
      let network = try #require((try Command.json(curvature.out)["networks"] as? [[String: Any]])?.first)
      let found = try #require(network["eigenvalues"] as? [String: Any])
      #expect((found["largest"] as? [Any])?.count == 3 && (found["smallest"] as? [Any])?.count == 1)
      #expect(found["converged"] as? Bool == true)
      let towards = try #require((network["towards"] as? [String: Any])?["curvature"] as? [String: Any])
      let measured = try #require(towards["measuredGain"] as? Double)
      let predicted = try #require(towards["threePointGain"] as? Double)
      #expect(abs(measured - predicted) < 0.05)
      #expect(scratch.exists("curvature/curvature.json") && scratch.exists("curvature/figures/curvature.csv"))
      if !curvature.err.contains("no figures") { #expect(scratch.exists("curvature/figures/curvature.svg")) }
      let short = try Command.run(
        "landscape", "curvature", weights[0], "--budget", "3", "--top", "3", "--tolerance", "1e-9")
      #expect(short.code == 0 && short.out.contains("not converged"), "\(short.out)\(short.err)")

      let cka = try Command.run(
        ["landscape", "cka"] + weights.prefix(2) + [
          "--layers", "all", "--all-pairs", "--json", "--out", scratch.path("cka"),
        ]
          + ["--format", "svg"])
      #expect(cka.code == 0, "\(cka.err)")
      let values = try #require((try Command.json(cka.out)["cka"] as? [String: Any])?["values"] as? [[Double]])
      #expect(values.count == 2 && values[0][0] > 0.5)
      #expect(scratch.exists("cka/figures/cka.csv"))
      let same = try Command.run("landscape", "cka", weights[0], weights[0])
      #expect(same.out.contains("1.0000"), "\(same.out)\(same.err)")

      let disagreement = try Command.run(
        ["landscape", "disagreement"] + weights + ["--json", "--out", scratch.path("d"), "--format", "svg"])
      #expect(disagreement.code == 0, "\(disagreement.err)")
      let result = try #require(try Command.json(disagreement.out)["disagreement"] as? [String: Any])
      #expect((result["scores"] as? [Any])?.count == 6 && (result["differences"] as? [Any])?.count == 3)
      #expect(scratch.exists("d/figures/disagreement.csv"))
      let table = try Command.run(["landscape", "disagreement"] + weights)
      #expect(table.out.contains("merge minus ensemble"), "\(table.out)\(table.err)")
    }

    /// Killed while products are kept, in the middle of batches, and again.
    @Test(arguments: [
      [
        "curvature", "--top", "6", "--tolerance", "1e-9", "--budget", "30", "--density", "--steps", "8", "--trace",
        "20",
      ],
      ["cka", "--batch", "4", "--layers", "all"], ["disagreement"],
    ])
    func aKilledMeasurementGoesOn(_ words: [String]) throws {
      let scratch = Scratch()
      let weights = try Tiny.endpoints(scratch).prefix(2)
      let examples = words[0] == "disagreement" ? "8192" : "1024"
      func arguments(_ folder: String) -> [String] {
        ["landscape", words[0]] + weights + words.dropFirst()
          + ["--set", "dataset.test=\(examples)", "--examples", examples, "--split", "test", "--threads", "1"]
          + ["--json", "--format", "svg", "--out", scratch.path(folder)]
      }
      func names() -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: scratch.path("cut"))) ?? []
      }
      func bytes() -> Int { names().reduce(0) { $0 + scratch.size("cut/\($1)") } }
      var kills = 0
      for _ in 0..<2 {
        let command = try Command(arguments("cut"))
        let before = bytes()
        command.wait { abs(bytes() - before) > 5000 }
        command.send(SIGKILL)
        if try command.outcome().code == 128 + SIGKILL { kills += 1 }
      }
      #expect(kills > 0 && bytes() > 5000)
      let resumed = try Command.run(arguments("cut"))
      #expect(resumed.code == 0, "\(resumed.err)")
      let whole = try Command.run(arguments("whole"))
      #expect(resumed.out == whole.out && !whole.out.isEmpty)
      #expect(
        try Data(contentsOf: scratch.url("cut/points.jsonl")) == Data(contentsOf: scratch.url("whole/points.jsonl")))
      #expect(!names().contains { $0.hasPrefix("products-") })
    }

    @Test func badInputIsExplained() throws {
      let scratch = Scratch()
      let weights = try Tiny.endpoints(scratch)
      func refused(_ arguments: String..., word: String) throws {
        let result = try Command.run(["landscape"] + arguments)
        #expect(result.code != 0 && (word.isEmpty || result.err.contains(word)), "\(arguments): \(result.err)")
      }
      try refused("cka", weights[0], weights[1], "--layers", "layer.0", word: "did you mean 'layers.0'")
      try refused("cka", weights[0], word: "compares two")
      try refused("disagreement", weights[0], word: "two or more")
      try refused("curvature", weights[0], "--top", "0", word: "nothing to measure")
      try refused("curvature", weights[0], "--top", "9", "--budget", "4", word: "too few")
      try refused("curvature", weights[0], "--towards", weights[0], "--top", "0", word: "same point")
      try refused("cka", weights[0], weights[1], "--set", "model.hidden=[4]", word: "layers.0.weight")
      try refused("disagreement", weights[0], weights[1], "--set", "dataset.classes=3", word: "")
      let broken = try Safetensors.read(weights[0]).weights.mapTensors { _, tensor in
        tensor.dtype.isFloatingPoint ? try tensor * Double.nan : tensor
      }
      try Safetensors.write(broken, to: scratch.path("nan.safetensors"))
      try refused("curvature", scratch.path("nan.safetensors"), "--run", scratch.path("run"), word: "NaN")
    }
  }
}
