import Checkpoints
import Foundation
import Testing
import Weights

extension EndToEnd {
  @Suite struct Smoke {
    @Test func aStudyFromDeclarationToReport() throws {
      let scratch = Scratch()
      let file = try scratch.write(Tiny.study, "smoke.yaml")
      let run = try Command.run(
        "study", "run", file, "--out", scratch.path("study"), "--jobs", "2", "--threads", "1", "--json")
      #expect(run.code == 0, "\(run.err)")
      let summary = try #require(try JSONSerialization.jsonObject(with: Data(run.out.utf8)) as? [String: Any])
      #expect(summary["complete"] as? Int == 2 && summary["runs"] as? Int == 2)

      let status = try Command.run("study", "status", scratch.path("study"), "--json")
      let rows = try #require(
        (try JSONSerialization.jsonObject(with: Data(status.out.utf8)) as? [String: Any])?["runs"] as? [[String: Any]])
      #expect(rows.count == 2 && rows.allSatisfy { $0["status"] as? String == "done" && $0["results"] as? Int == 6 })

      let export = try Command.run("study", "export", scratch.path("study"), "--csv")
      #expect(export.code == 0)
      // Two runs, two branch points each, two singles and a merge each.
      #expect(export.out.split(whereSeparator: \.isNewline).count == 1 + 2 * 2 * 3)

      let again = try Command.run("study", "run", file, "--out", scratch.path("study"))
      #expect(again.code == 0 && again.err.contains("2 done, 0 to do"), "\(again.err)")

      let doctor = try Command.run("doctor", "--json")
      let report = try Command.run("report", scratch.path("study"), "--format", "svg")
      if doctor.out.contains("vl-convert") {
        #expect(report.code == 0, "\(report.err)")
        #expect(scratch.size("study/report/report.html") > 10_000)
      } else {
        print("no figure renderer: the report's page is not tested")
        #expect(report.code != 0 && report.err.contains("make bootstrap"))
      }
    }

    @Test func figuresAreStudies() throws {
      let scratch = Scratch()
      let list = try Command.run("study", "list", "--json")
      let figures = try #require(
        (try JSONSerialization.jsonObject(with: Data(list.out.utf8)) as? [String: Any])?["figures"] as? [[String: Any]])
      #expect(figures.contains { $0["study"] as? String == "fig1" && $0["figure"] as? String == "1" })
      #expect(try Command.run("study", "list", scratch.path("nowhere")).err.contains("there is no folder"))

      // Without the data the grid is shown all the same.
      let plan = try Command.run(
        "study", "plan", "fig1", "--scale", "paper", "--json", environment: ["VALLEY_DATA": scratch.path("none")])
      let planned = try #require(try JSONSerialization.jsonObject(with: Data(plan.out.utf8)) as? [String: Any])
      #expect(plan.code == 0 && planned["runs"] as? Int == 30 && planned["scale"] as? String == "paper")
      #expect(
        (planned["unmeasured"] as? String)?.contains("valley data fetch cifar100") == true && planned["seconds"] == nil)

      let unknown = try Command.run("study", "plan", "fig1a")
      #expect(unknown.code != 0 && unknown.err.contains("did you mean fig1?"), "\(unknown.err)")

      let file = try scratch.write(
        Tiny.study + "predictions: true\nscales: {smoke: {branch: {endpoints: 3}}}\n", "s.yaml")
      let run = try Command.run(
        "study", "run", file, "--scale", "smoke", "-o", scratch.path("study"), "--threads", "1", "--json")
      #expect(run.code == 0 && run.out.contains("\"complete\" : 2"), "\(run.err)")
      let ensembles = try Command.run("study", "ensemble", scratch.path("study"), "--endpoints", "0,2", "--json")
      let rows = try #require(try JSONSerialization.jsonObject(with: Data(ensembles.out.utf8)) as? [[String: Any]])
      #expect(rows.count == 4 && rows.allSatisfy { $0["endpoints"] as? [Int] == [0, 2] })
      let export = try #require(
        (try JSONSerialization.jsonObject(
          with: Data(try Command.run("study", "export", scratch.path("study"), "--json").out.utf8))
          as? [String: Any])?["runs"] as? [[String: Any]])
      let kept = export.flatMap { $0["rows"] as? [[String: Any]] ?? [] }
        .filter { $0["kind"] as? String == "ensemble" && $0["endpoints"] as? [Int] == [0, 2] }
      #expect(kept.map { $0["testLoss"] as? Double } == rows.map { $0["loss"] as? Double })
      let missing = try Command.run("study", "ensemble", scratch.path("study"), "--endpoints", "0,7")
      #expect(missing.code != 0 && missing.err.contains("has no probabilities of endpoint 7; it has 0, 1, 2"))
    }

    @Test func singlePieces() throws {
      let scratch = Scratch()
      let train = try Command.run(Tiny.train(scratch.path("run")))
      #expect(train.code == 0, "\(train.err)")
      #expect(train.out.contains("merge 0+1 α=0.5"))
      let endpoints = [0, 1].map { scratch.path("run/checkpoints/endpoint-40-\($0).safetensors") }

      // Evaluated on its own, an endpoint does as it did in its run.
      let eval = try Command.run("eval", endpoints[1], "--split", "both", "--json")
      let evaluation = try #require(try JSONSerialization.jsonObject(with: Data(eval.out.utf8)) as? [String: Any])
      let splits = try #require(evaluation["splits"] as? [[String: Any]])
      let rows = try String(contentsOf: scratch.url("run/results.jsonl"), encoding: .utf8).split(separator: "\n").map {
        try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      }
      #expect(splits[0]["loss"] as? Double == rows[1]["trainLoss"] as? Double)
      #expect(splits[1]["accuracy"] as? Double == rows[1]["testAccuracy"] as? Double)

      // And so does their merge.
      let merge = try Command.run(
        ["merge", "--method", "linear"] + endpoints + ["-o", scratch.path("merged.safetensors")])
      #expect(merge.code == 0, "\(merge.err)")
      let merged = try Command.run(
        "eval", scratch.path("merged.safetensors"), "--run", scratch.path("run"), "--json", "--threads", "1")
      let loss = try #require(rows[2]["testLoss"] as? Double)
      #expect(rows[2]["kind"] as? String == "merged" && merged.out.contains("\(loss)"), "\(merged.out)")

      let named = try Command.run(
        ["eval", scratch.path("merged.safetensors"), "--model", "mlp", "--set", "model.hidden=[8]", "--json"]
          + Tiny.options(Tiny.data) + ["--threads", "1"])
      #expect(named.out == merged.out, "\(named.err)")

      // A run that is done is shown again, not repeated.
      let before = try scratch.results("run")
      let again = try Command.run("train", "-o", scratch.path("run"))
      #expect(again.code == 0 && again.out == train.out)
      #expect(try scratch.results("run") == before)
    }

    /// Fine-tuning: no trunk, endpoints that warm up and anneal by themselves, a part of the network frozen.
    @Test func fineTuningWithAdamW() throws {
      let scratch = Scratch()
      var arguments = [
        "train", "--model", "mlp", "--set", "model.hidden=[8, 8]", "--threads", "1", "--batch-size", "16",
      ]
      arguments +=
        Tiny.options(Tiny.data + ["schedule.length=6", "checkpoints.keep=all"]) + ["-o", scratch.path("run")]
      arguments += [
        "--optimizer", "adamw", "--lr", "1e-2", "--betas", "0.9,0.95", "--clip", "1", "--label-smoothing", "0.1",
        "--schedule", "warmup-cosine", "--freeze", "layers.0",
      ]
      let train = try Command.run(arguments)
      #expect(train.code == 0, "\(train.err)")
      #expect(train.out.contains("merge 0+1 α=0.5"))
      func weights(_ file: String) throws -> Weights {
        try Safetensors.read(scratch.path("run/checkpoints/\(file).safetensors")).weights
      }
      let (trunk, first, second) = try (weights("trunk-0"), weights("endpoint-0-0"), weights("endpoint-0-1"))
      let (frozen, trained) = ("layers.0.weight", "layers.1.weight")
      let start = try #require(trunk["weights/" + frozen])
      #expect(try start.isIdentical(to: #require(first[frozen])) && start.isIdentical(to: #require(second[frozen])))
      #expect(try !#require(first[trained]).isIdentical(to: #require(second[trained])))
    }

    @Test func doctorFindsWhatIsBroken() throws {
      let scratch = Scratch()
      let outcome = try Command.run("doctor", environment: ["VALLEY_RENDERER": scratch.path("none")])
      #expect(outcome.code == 1)
      #expect(outcome.out.contains("no Python at \(scratch.path("none"))") && outcome.out.contains("make bootstrap"))
      #expect(outcome.out.contains("libtorch"))
    }
  }
}
