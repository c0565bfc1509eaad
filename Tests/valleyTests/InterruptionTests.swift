import Foundation
import Testing

/// Small, seeded, good enough to choose moments.
private struct Moments: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ (state >> 29)
  }
}

extension EndToEnd {
  @Suite struct Interruption {
    /// The run is killed ten times: when its metrics reach a random part of their final size, and a random moment
    /// later, so that some kills fall into checkpoints, merging and starting.
    static let kinds: [String: [String]] = [
      "mlp": ["optimizer.momentum=0.9"],
      "adamw": ["optimizer={name: adamw, lr: 0.01, clip: 1}", "loss.label_smoothing=0.1"],
      "resnet": [
        "model={name: resnet, blocks: [1], width: 4}", "augmentation={flip: true, crop: 1}",
        "merge.batchnorm=reestimate",
      ],
      "predictions": [
        "predictions=true", "branch.endpoints=3",
        "evaluate=[{name: ood, dataset: {size: 8, train: 64, test: 64, corruption: {noise: 0.2}}}]",
        "merge.methods=[linear, {name: task_arithmetic, alphas: [0.2, 1]}, {name: dare_ties, density: 0.5}]",
      ],
      "tasks": [
        "tasks={datasets: [{name: a, dataset: {size: 8, train: 64, test: 64, labels: [0, 1, 2]}}, "
          + "{name: b, dataset: {size: 8, train: 48, test: 64, labels: [5, 6]}}], learning_rates: [0.02, 0.05]}",
        "optimizer={name: adamw, lr: 0.01}", "merge.methods=[{name: ties, density: 0.5}]",
      ],
    ]

    @Test(arguments: [
      ("mlp", UInt64(1), 7), ("resnet", UInt64(2), 7), ("predictions", UInt64(3), 11), ("tasks", UInt64(4), 11),
      ("adamw", UInt64(5), 7),
    ])
    func killedTenTimesARunEndsWithTheSameBytes(_ kind: String, _ seed: UInt64, _ files: Int) throws {
      let scratch = Scratch()
      let settings = try #require(Self.kinds[kind])
      func arguments(_ folder: String) -> [String] {
        Tiny.train(scratch.path(folder), "checkpoints.keep=all") + Tiny.options(settings)
      }
      #expect(try Command.run(arguments("whole")).code == 0)
      let size = Double(scratch.size("whole/metrics.jsonl"))
      var random = Moments(state: seed)
      let parts = (0..<10).map { _ in Double.random(in: 0..<1, using: &random) }.sorted()
      var kills = 0
      for part in parts {
        let command = try Command(arguments("cut"))
        command.wait { Double(scratch.size("cut/metrics.jsonl")) >= part * size }
        usleep(UInt32.random(in: 0..<20_000, using: &random))
        command.send(SIGKILL)
        if try command.outcome().code == 128 + SIGKILL { kills += 1 }
      }
      // The last ones may come after the end of so short a run.
      #expect(kills >= 7)
      let last = try Command.run(arguments("cut"))
      #expect(last.code == 0, "\(last.err)")
      let (whole, cut) = (try scratch.results("whole"), try scratch.results("cut"))
      #expect(whole.keys.sorted() == cut.keys.sorted())
      for (name, bytes) in whole { #expect(cut[name] == bytes, "\(name)") }
      // Rows, the place in the run, and for each of two branch points trunk, endpoints and predictions.
      #expect(whole.count == files + 2)
    }

    /// Killed while it pretrains, and again.
    @Test func aKilledPretrainingGoesOn() throws {
      let scratch = Scratch()
      func arguments(_ folder: String) -> [String] {
        Tiny.train(
          scratch.path(folder), "checkpoints={every: 20 steps, keep: all}", "dataset.labels=[5, 6, 7]",
          "start={pretrain: {dataset: {size: 8, train: 64, test: 64, labels: [0, 1, 2]}, length: 2000 steps}}",
          "schedule={name: warmup-cosine, warmup: 1, length: 4}", "branch.every=null")
      }
      func starts(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: scratch.path(folder + "/starts"))) ?? []).sorted()
      }
      #expect(try Command.run(arguments("whole")).code == 0)
      for _ in 0..<3 {
        let command = try Command(arguments("cut"))
        let seen = { starts("cut").first.map { scratch.exists("cut/starts/\($0)/resume.safetensors") } ?? false }
        command.wait(for: seen)
        usleep(30_000)
        command.send(SIGKILL)
        _ = try command.outcome()
      }
      #expect(starts("cut").allSatisfy { !$0.hasSuffix(".safetensors") })
      let last = try Command.run(arguments("cut"))
      #expect(last.code == 0, "\(last.err)")
      #expect(last.err.contains("the classifier"), "\(last.err)")
      #expect(try scratch.results("cut") == scratch.results("whole"))
      let kept = try #require(starts("whole").first { $0.hasSuffix(".safetensors") })
      #expect(
        try Data(contentsOf: scratch.url("cut/starts/" + kept)) == Data(contentsOf: scratch.url("whole/starts/" + kept))
      )
    }

    @Test func theSameConfigurationGivesTheSameBytes() throws {
      let scratch = Scratch()
      for name in ["a", "b"] { #expect(try Command.run(Tiny.train(scratch.path(name))).code == 0) }
      let (a, b) = (try scratch.results("a"), try scratch.results("b"))
      #expect(a == b && a.count == 7)
    }

    /// With the whole training set as the batch, the first loss depends on the initial weights and the augmentation
    /// only.
    @Test func eachSeedChangesWhatItShould() throws {
      let scratch = Scratch()
      func rows(_ name: String, _ seeds: String, augmented: Bool = false) throws -> [[String: Any]] {
        let settings = [
          "seeds={\(seeds)}", "batch_size=64", "measure.noise=none",
          augmented ? "augmentation={flip: true, crop: 2}" : "augmentation=none",
        ]
        let outcome = try Command.run(Tiny.train(scratch.path(name)) + Tiny.options(settings))
        #expect(outcome.code == 0, "\(outcome.err)")
        return try String(contentsOf: scratch.url(name + "/metrics.jsonl"), encoding: .utf8).split(separator: "\n").map
        {
          try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
      }
      func first(_ rows: [[String: Any]]) throws -> Double { try #require(rows[0]["loss"] as? Double) }
      let base = try first(rows("base", "initialisation: 0, order: 0, augmentation: 0"))
      _ = try rows("augmentation", "initialisation: 0, order: 0, augmentation: 1")
      #expect(try scratch.results("base")["metrics.jsonl"] == scratch.results("augmentation")["metrics.jsonl"])
      let order = try first(rows("order", "initialisation: 0, order: 1, augmentation: 0"))
      #expect(abs(order - base) < 1e-5)
      #expect(try scratch.results("base")["metrics.jsonl"] != scratch.results("order")["metrics.jsonl"])
      #expect(try abs(first(rows("initialisation", "initialisation: 1, order: 0, augmentation: 0")) - base) > 1e-3)
      let changed = try first(rows("augmented", "initialisation: 0, order: 0, augmentation: 0", augmented: true))
      let otherwise = try first(rows("other", "initialisation: 0, order: 0, augmentation: 1", augmented: true))
      #expect(abs(changed - base) > 1e-5 && abs(otherwise - changed) > 1e-5)
    }

    @Test func controlCLeavesACheckpointToGoOnFrom() throws {
      let scratch = Scratch()
      #expect(
        try Command.run(Tiny.train(scratch.path("whole"), "schedule.stable=1000 steps", "branch.every=500 steps")).code
          == 0)
      let arguments = Tiny.train(scratch.path("cut"), "schedule.stable=1000 steps", "branch.every=500 steps")
      let command = try Command(arguments)
      command.wait { scratch.size("cut/metrics.jsonl") > 20_000 }

      // Meanwhile nobody else may work in the folder. (Halted, it cannot come to its end before the other has started.)
      command.send(SIGSTOP)
      let second = try Command.run("train", "-o", scratch.path("cut"))
      #expect(second.code == 75)
      #expect(second.err.contains("is in use by process \(command.process.processIdentifier)"), "\(second.err)")

      command.send(SIGINT)
      command.send(SIGCONT)
      let stopped = try command.outcome()
      #expect(stopped.code == 130)
      #expect(stopped.err.contains("stopped at step") && stopped.err.contains("to continue"), "\(stopped.err)")
      #expect(scratch.exists("cut/checkpoints/resume.safetensors") && !scratch.exists("cut/lock"))
      #expect(try String(contentsOf: scratch.url("cut/run.json"), encoding: .utf8).contains("pending"))
      #expect(try Command.run("train", "-o", scratch.path("cut")).code == 0)
      #expect(try scratch.results("cut") == scratch.results("whole"))
    }

    /// With steps of seconds, the second Ctrl-C comes long before the step's end.
    @Test func theSecondControlCEndsAtOnce() throws {
      let scratch = Scratch()
      let slow = [
        "model={name: resnet18, width: 128}", "dataset={name: glyphs, size: 32, train: 256, test: 8}", "batch_size=256",
        "measure.noise=none",
      ]
      let command = try Command(["train"] + Tiny.options(slow) + ["-o", scratch.path("run"), "--threads", "1"])
      command.wait { scratch.exists("run/run.json") && command.errors.contains("in \(scratch.path("run"))") }
      usleep(500_000)
      command.send(SIGINT)
      #expect(command.wait { command.errors.contains("Ctrl-C again ends at once") })
      let second = Date()
      command.send(SIGINT)
      #expect(try command.outcome().code == 130)
      #expect(Date().timeIntervalSince(second) < 2)
      #expect(!scratch.exists("run/checkpoints/resume.safetensors"))
    }
  }
}
