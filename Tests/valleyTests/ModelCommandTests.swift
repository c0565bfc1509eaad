import Checkpoints
import Foundation
import Testing

extension EndToEnd {
  @Suite struct ModelCommands {
    @Test func listsAndShowsNetworks() throws {
      let list = try Command.run("model", "list", "--json")
      let networks = try #require(try JSONSerialization.jsonObject(with: Data(list.out.utf8)) as? [[String: Any]])
      #expect(networks.count >= 15 && networks.allSatisfy { $0["reference"] is String && $0["options"] is [Any] })
      let show = try Command.run("model", "show", "resnet18", "--set", "width=8", "--json")
      let shown = try #require(try JSONSerialization.jsonObject(with: Data(show.out.utf8)) as? [String: Any])
      #expect(shown["parameters"] as? Int == 176_402 && (shown["layers"] as? [Any])?.count == 41)
      for (arguments, words) in [
        (["show", "resnet19"], "there is no network resnet19; did you mean resnet18? There are mlp"),
        (["show", "resnet18", "--set", "depth=2"], "depth cannot be chosen for resnet18"),
        (["show", "resnet18", "--set", "width=wide"], "'wide' is not a value for width"),
        (["show", "vit_s16", "--size", "40"], "patch is 16, which does not divide the pictures' 40 pixels"),
      ] {
        let outcome = try Command.run(["model"] + arguments)
        #expect(outcome.code != 0 && outcome.err.contains(words), "\(outcome.err)")
      }
    }

    @Test func importsWhatTrainingScriptsSave() throws {
      let scratch = Scratch()
      let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/torch")
      let inspected = try Command.run(
        "model", "import", fixtures.appendingPathComponent("training.pt").path, "--inspect")
      #expect(inspected.code == 0 && inspected.out.contains("module.weight  2×3    float32"))
      let hostile = try Command.run("model", "import", fixtures.appendingPathComponent("hostile.pt").path)
      #expect(hostile.code != 0 && hostile.err.contains("it would call posix.system"))

      let run = scratch.path("run")
      #expect(try Command.run(Tiny.train(run)).code == 0)
      let endpoint = scratch.path("run/checkpoints/endpoint-40-0.safetensors")
      let out = scratch.path("imported.safetensors")
      let imported = try Command.run("model", "import", endpoint, "--classes", "4", "-o", out)
      #expect(
        imported.code == 0
          && imported.out.contains("the classifier layers.1 for 10 classes is replaced by a fresh one for 4"),
        "\(imported.err)\(imported.out)")
      #expect(try Safetensors.read(out).weights["layers.1.weight"]?.shape == [4, 8])
      let again = try Command.run("model", "import", endpoint, "-o", out)
      #expect(again.code != 0 && again.err.contains("exists; add --force"))
    }
  }
}
