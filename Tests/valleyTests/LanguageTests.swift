import Foundation
import Testing

extension EndToEnd {
  /// A language model of a few thousand parameters, from a text to merges.
  @Suite struct Language {
    private static let network = [
      "model.depth=1", "model.width=16", "model.heads=2", "dataset.context=16", "dataset.test=20",
      "optimizer={name: adamw, lr: 0.01, weight_decay: 0}",
      "schedule={name: constant, stable: 20 steps, decay: 5 steps}",
      "branch={every: 10 steps}", "checkpoints.every=7 steps", "measure.noise={every: 10 steps, microbatches: 2}",
      "predictions=true",
    ]

    private func story() -> String {
      let (who, what) = (["cat", "dog", "bird", "girl", "boy"], ["sat", "ran", "sang", "slept"])
      return (0..<900).map {
        "One day the \(who[$0 * 7 % 5]) \(what[$0 * 3 % 4]).\($0 % 9 == 0 ? "<|endoftext|>" : " ")"
      }
      .joined()
    }

    private func object(_ text: String) throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func fromATextToMergesAndBack() throws {
      let scratch = Scratch()
      let data = ["VALLEY_DATA": scratch.path("data")]
      let text = try scratch.write(story(), "story.txt")
      let tokenizer = scratch.path("tokenizer.json")
      let made = try Command.run("tokenizer", "train", text, "--vocabulary", "300", "-o", tokenizer)
      #expect(made.code == 0, "\(made.err)")
      let again = try Command.run("tokenizer", "train", text, "--vocabulary", "290", "-o", tokenizer)
      #expect(again.code == 1 && again.err.contains("exists; add --force to replace it"))
      #expect(!made.err.contains("is not UTF-8 text"), "\(made.err)")
      // What a picture has in its first bytes; and a character that the first 64 KiB cut in two is no mistake.
      let bytes = scratch.path("picture.png")
      try Data((0..<240).map { [0x89, 0x50, 0x4e, 0x47, 0, 0x1a][$0 % 6] }).write(to: scratch.url("picture.png"))
      let long = try scratch.write("a" + String(repeating: "é", count: 40_000), "long.txt")
      for (file, isText) in [(bytes, false), (long, true)] {
        let told = try Command.run("tokenizer", "train", file, "--vocabulary", "258", "-o", tokenizer, "--force")
        #expect(told.code == 0 && told.err.contains("\(file) is not UTF-8 text") != isText, "\(told.err)")
      }
      _ = try Command.run("tokenizer", "train", text, "--vocabulary", "300", "-o", tokenizer, "--force")

      for choice in ["bytes", tokenizer] {
        let run = scratch.path("run-\(choice.count)")
        let arguments =
          ["--text", text, "--tokenizer", choice] + Tiny.options(Self.network)
        let train = try Command.run(
          ["train", "--batch-size", "4", "--threads", "1", "-o", run, "--json"] + arguments, environment: data)
        #expect(train.code == 0, "\(train.err)")
        let rows = try #require(try object(train.out)["results"] as? [[String: Any]])
        #expect(rows.count == 6)
        // Better than knowing nothing, and the merge has a gain in loss.
        #expect(rows.allSatisfy { ($0["testLoss"] as? Double ?? .infinity) < log(300) })
        #expect(rows.filter { $0["kind"] as? String == "merged" }.allSatisfy { $0["lossGain"] != nil })
        let table = try Command.run("train", "-o", run, environment: data)
        #expect(table.out.contains("perplexity"))

        let eval = try Command.run("eval", run + "/checkpoints/endpoint-20-1.safetensors", "--json", environment: data)
        #expect(eval.code == 0, "\(eval.err)")
        let split = try #require((try object(eval.out)["splits"] as? [[String: Any]])?.first)
        let loss = try #require(split["loss"] as? Double)
        #expect(rows.contains { $0["testLoss"] as? Double == loss })
        #expect(abs((split["perplexity"] as? Double ?? 0) / exp(loss) - 1) < 1e-9)
      }

      let models = [0, 1].map { scratch.path("run-5/checkpoints/endpoint-20-\($0).safetensors") }
      func merge(_ method: String, _ settings: String...) throws -> Command.Outcome {
        try Command.run(
          ["merge", method] + models + ["--force", "-o", scratch.path("merged.safetensors")]
            + settings.flatMap { ["--set", $0] }, environment: data)
      }
      let regressed = try merge("regmean", "examples=4")
      #expect(regressed.out.contains("4 of 16 tensors are merged by their layers' inputs"), "\(regressed)")
      #expect(try merge("fisher", "examples=4").err.contains("say labels=sampled"))
      #expect(try merge("fisher", "examples=4", "labels=sampled").code == 0)

      let study = try scratch.write(
        """
        name: language
        dataset: {name: text, path: '\(text)', context: 16, test: 20}
        model: {name: gpt, depth: 1, width: 16, heads: 2}
        optimizer: {name: adamw, weight_decay: 0}
        schedule: {name: constant, stable: 8 steps, decay: 4 steps}
        branch: {every: 4 steps}
        batch_size: 4
        measure: {noise: null}
        sweep: {grid: {optimizer.lr: [1e-3, 1e-2]}}

        """, "study.yaml")
      let done = try Command.run(
        "study", "run", study, "-o", scratch.path("study"), "--threads", "1", "--json", environment: data)
      #expect(done.code == 0 && done.out.contains("\"complete\" : 2"), "\(done.err)")
    }

    @Test func tokenizersFromTheCommandLine() throws {
      let scratch = Scratch()
      let text = try scratch.write(story(), "story.txt")
      let tokenizer = scratch.path("tokenizer.json")
      _ = try Command.run("tokenizer", "train", text, "--vocabulary", "300", "-o", tokenizer)
      let ids = try Command.run("tokenizer", "encode", tokenizer, "the cat<|endoftext|>é").out
      #expect(ids.hasSuffix("\n") && ids.split(separator: " ").contains("0"))
      let words = ids.split(whereSeparator: \.isWhitespace).map(String.init)
      #expect(try Command.run(["tokenizer", "decode", tokenizer] + words).out == "the cat<|endoftext|>é\n")
      let info = try object(try Command.run("tokenizer", "info", tokenizer, "--text", text, "--json").out)
      #expect(info["vocabulary"] as? Int ?? 0 <= 300 && (info["bytesPerToken"] as? Double ?? 0) > 2)
      #expect(try Command.run("tokenizer", "decode", tokenizer, "300").err.contains("there is no token 300"))
      #expect(try Command.run("tokenizer", "info", text).err.contains("is no tokenizer.json"))
    }

    @Test func mistakesAreTold() throws {
      let scratch = Scratch()
      let text = try scratch.write(story(), "story.txt")
      let data = ["VALLEY_DATA": scratch.path("data")]
      for (arguments, message) in [
        (["--data", "text", "--model", "gpt"], "dataset.path: is missing"),
        (
          [
            "--text", scratch.path("none.txt"), "--set", "schedule={name: constant, stable: 2 steps, decay: 1 steps}",
            "--set", "branch.every=1 steps",
          ], "no such file"
        ),
        (["--text", text, "--model", "mlp"], "looks at pictures"),
        (["--data", "glyphs", "--model", "gpt"], "reads tokens"),
        (["--data", "glyphs", "--tokenizer", "bytes"], "belongs to texts"),
        (["--text", text, "--set", "dataset.size=8"], "belongs to pictures"),
      ] {
        let outcome = try Command.run(
          ["train", "--threads", "1", "-o", scratch.path("run")] + arguments, environment: data)
        #expect(outcome.code != 0 && outcome.err.contains(message), "\(arguments): \(outcome.err)")
      }
    }
  }
}
