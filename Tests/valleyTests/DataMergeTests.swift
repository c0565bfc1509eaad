import Checkpoints
import Foundation
import Testing
import Torch
import Weights

extension EndToEnd {
  @Suite struct DataMerges {
    /// Two endpoints of a run, merged with the data they were trained on, which their run says.
    @Test func mergesByWhatNetworksDoOnData() throws {
      let scratch = Scratch()
      let train = try Command.run(Tiny.train(scratch.path("run")))
      #expect(train.code == 0, "\(train.err)")
      let endpoints = [0, 1].map { scratch.path("run/checkpoints/endpoint-40-\($0).safetensors") }
      for (method, settings) in [
        ("fisher", ["--set", "examples=8"]), ("regmean", ["--set", "examples=8"]),
        ("greedy_soup", ["--split", "test"]),
      ] {
        let out = scratch.path("\(method).safetensors")
        let merge = try Command.run(["merge", method] + endpoints + settings + ["-o", out, "--json"])
        #expect(merge.code == 0, "\(merge.err)")
        let summary = try #require(try JSONSerialization.jsonObject(with: Data(merge.out.utf8)) as? [String: Any])
        #expect(summary["method"] as? String == method && summary["model"] as? String == "mlp")
        let merged = try Safetensors.read(out)
        let models = try endpoints.map { try Safetensors.read($0).weights }
        #expect(merged.metadata["merge.method"] == method && merged.weights.names == models[0].names)
        if method != "greedy_soup" {
          #expect(try models.allSatisfy { try !$0.isIdentical(to: merged.weights) })
        }
        let eval = try Command.run("eval", out, "--run", scratch.path("run"), "--json")
        #expect(eval.code == 0, "\(eval.err)")
      }
    }

    @Test func recipesNameNetworkAndData() throws {
      let scratch = Scratch()
      let train = try Command.run(Tiny.train(scratch.path("run")))
      #expect(train.code == 0, "\(train.err)")
      for index in 0..<2 {
        try FileManager.default.copyItem(
          at: scratch.url("run/checkpoints/endpoint-40-\(index).safetensors"), to: scratch.url("\(index).safetensors"))
      }
      // Each with a dataset of its own: their classifiers stay apart.
      let data = "{name: glyphs, size: 8, train: 64, test: 64, noise: 0.4}"
      let recipe = try scratch.write(
        "merge_method: regmean\nmodels: [{model: 0.safetensors}, {model: 1.safetensors}]\nparameters: {examples: 8}\n"
          + "network: {name: mlp, hidden: [8]}\ndata: [\(data), \(data)]\n", "r.yml")
      let outcome = try Command.run("merge", recipe, scratch.path("out.safetensors"))
      #expect(outcome.code == 0 && outcome.out.contains("each task's own"), "\(outcome.err)\(outcome.out)")
      #expect(
        try Safetensors.read(scratch.path("out.safetensors")).weights.names == ["layers.0.weight", "layers.0.bias"])
      let wrong = try scratch.write("merge_method: ties\nbase_model: a\nmodels: [{model: b}]\ndata: cifar10\n", "w.yml")
      let refused = try Command.run("merge", wrong, scratch.path("o"))
      #expect(refused.code != 0 && refused.err.contains("is for methods that look at data"), "\(refused.err)")
    }

    @Test func mistakesAreToldBeforeReading() throws {
      let scratch = Scratch()
      let (a, b, out) = (scratch.path("a.safetensors"), scratch.path("b.safetensors"), scratch.path("o.safetensors"))
      for (arguments, words) in [
        (["regmean", a, b, "-o", scratch.path("out")], "whose name must end in .safetensors"),
        (["regmean", a, b, "--set", "example=3", "-o", out], "no parameter example"),
        (["adamerging", a, b, "-o", out], "needs the base"), (["fisher", a, "-o", out], "takes 2 or more models"),
        (
          ["fisher", a, b, "--data", "cifar10", "--data", "svhn", "--data", "mnist", "-o", out],
          "given 3 times for 2 models"
        ),
        (["fisher", a, b, "--check", "-o", out], "look only at files' headers"),
        (["ties", a, b, "--base", a, "--model", "mlp", "-o", out], "--model is for methods that look at data"),
      ] {
        let outcome = try Command.run(["merge"] + arguments)
        #expect(outcome.code == 64 && outcome.err.contains(words), "\(arguments): \(outcome.err)")
      }
      let model = try Weights([("layers.0.weight", .zeros([2, 3])), ("layers.0.bias", .zeros([2]))])
      for path in [a, b] { try Safetensors.write(model, to: path) }
      let unknown = try Command.run("merge", "fisher", a, b, "-o", out)
      #expect(unknown.code != 0 && unknown.err.contains("which network are these weights for? Name it with --model"))
      #expect(!scratch.exists("o.safetensors"))
    }
  }
}
