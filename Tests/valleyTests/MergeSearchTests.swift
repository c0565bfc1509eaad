import Checkpoints
import Foundation
import Merging
import Testing

extension EndToEnd {
  @Suite struct MergeSearchTests {
    private static let recipe = """
      merge_method: linear
      models:
        - {model: one/checkpoints/endpoint-80-0.safetensors, parameters: {weight: {from: 0, to: 1}}}
        - {model: one/checkpoints/endpoint-80-1.safetensors, parameters: {weight: {from: 0.01, to: 1, scale: log}}}

      """

    private struct Row: Decodable, Equatable {
      var number: Int
      var point: [Double]
      var loss: Double?
    }

    private static func rows(_ scratch: Scratch, _ folder: String) throws -> [Row] {
      try String(contentsOf: scratch.url(folder + "/candidates.jsonl"), encoding: .utf8).split(separator: "\n")
        .map { try JSONDecoder().decode(Row.self, from: Data($0.utf8)) }
    }

    @Test func findsResumesAndWritesTheBest() throws {
      let scratch = Scratch()
      #expect(try Command.run(Tiny.train(scratch.path("one"))).code == 0)
      let recipe = try scratch.write(Self.recipe, "recipe.yml")
      func arguments(_ folder: String, _ more: String...) -> [String] {
        ["merge", "search", recipe, "--examples", "40", "--threads", "1", "-o", scratch.path(folder)] + more
      }
      let whole = try Command.run(arguments("whole", "--budget", "9", "--json"))
      #expect(whole.code == 0, "\(whole.err)")
      #expect(whole.out.contains("\"evaluations\" : 9") && whole.out.contains("\"rest\""), "\(whole.out)")
      let rows = try Self.rows(scratch, "whole")
      #expect(rows.count == 9 && rows.allSatisfy { $0.loss?.isFinite == true })

      // Killed in the middle of a line, the search goes on to the same end.
      #expect(try Command.run(arguments("parts", "--budget", "3")).code == 0)
      let file = try FileHandle(forWritingTo: scratch.url("parts/candidates.jsonl"))
      try file.seekToEnd()
      try file.write(contentsOf: Data("{\"number\":4,\"poi".utf8))
      try file.close()
      let resumed = try Command.run(arguments("parts", "--budget", "9"))
      #expect(resumed.code == 0 && resumed.err.contains("continuing after 3"), "\(resumed.err)")
      #expect(try Self.rows(scratch, "parts") == rows)
      for name in ["best.yml", "search.csv", "search.vl.json", "merged.safetensors"] {
        #expect(
          try Data(contentsOf: scratch.url("whole/" + name)) == Data(contentsOf: scratch.url("parts/" + name)),
          "\(name)")
      }

      // The written recipe gives the written weights.
      let merged = scratch.path("again.safetensors")
      #expect(try Command.run("merge", scratch.path("whole/best.yml"), merged).code == 0)
      #expect(
        try Safetensors.read(merged).weights.isIdentical(
          to: Safetensors.read(scratch.path("whole/merged.safetensors")).weights))

      let other = try Command.run(arguments("whole", "--seed", "5", "--metric", "accuracy"))
      #expect(other.code != 0 && other.err.contains("differs in --metric, --seed"), "\(other.err)")
      for algorithm in ["cma-es", "random"] {
        let found = try Command.run(arguments(algorithm, "--algorithm", algorithm, "--budget", "3"))
        #expect(found.code == 0, "\(found.err)")
      }
    }

    @Test func pointsMayComeFromElsewhere() throws {
      let scratch = Scratch()
      #expect(try Command.run(Tiny.train(scratch.path("one"))).code == 0)
      let recipe = try scratch.write(Self.recipe, "recipe.yml")
      let points = try scratch.write("[0.5,0.5]\n[1,0.01]\n", "points")
      let served = try Command(
        ["-c", "\"$0\" merge search \(recipe) --threads 1 --serve < \(points)", Command.executable.path],
        program: URL(fileURLWithPath: "/bin/sh")
      ).outcome()
      let lines = served.out.split(separator: "\n")
      #expect(served.code == 0 && lines.count == 3, "\(served.err)")
      #expect(lines.first?.contains("\"scale\":\"log\"") == true && lines.last?.contains("\"loss\":") == true)
    }

    @Test func mistakesAreTold() throws {
      let scratch = Scratch()
      #expect(try Command.run(Tiny.train(scratch.path("one"))).code == 0)
      func run(_ text: String, _ arguments: String..., words: String...) throws {
        let recipe = try scratch.write(text, "recipe.yml")
        let outcome = try Command.run(["merge", "search", recipe, "-o", scratch.path("out")] + arguments)
        #expect(outcome.code != 0 && words.allSatisfy { outcome.err.contains($0) }, "\(outcome.err)")
      }
      let plain = "merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}]\n"
      try run(plain, words: "nothing to search")
      try run(Self.recipe.replacingOccurrences(of: "to: 1}", with: "to: 0}"), words: "recipe.yml:3:", "is empty")
      try run(Self.recipe, "--metric", "f1", words: "--metric")
      try run(Self.recipe, "--budget", "0", words: "--budget is 0")
      try run(Self.recipe.replacingOccurrences(of: "80-1", with: "80-7"), words: "80-7", "is no file or folder")
      try run(
        Self.recipe, "--model", "mlp", "--set", "model.hidden=[8]", "--set",
        "dataset={name: glyphs, size: 8, classes: 5}",
        "--force", words: "layers")
      #expect(try Command.run("merge").code == 64)
    }
  }
}
