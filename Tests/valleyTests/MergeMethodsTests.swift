import Checkpoints
import Foundation
import Testing
import Torch
import Weights

extension EndToEnd {
  @Suite struct MergeMethods {
    @Test func mergesByMethodAndTellsMistakesBeforeReading() throws {
      let scratch = Scratch()
      let (a, b, base) = (scratch.path("a.safetensors"), scratch.path("b.safetensors"), scratch.path("c.safetensors"))
      let out = scratch.path("out.safetensors")
      // None of the files exists yet: what is told here is told without reading.
      for (arguments, words) in [
        (["--method", "ties", a, b, "--base", base, "--density", "1.5"], "density is 1.5"),
        (["--method", "ties", a, b], "needs the base"),
        (["--method", "tise", a, b], "there are linear, task_arithmetic"),
        (["--method", "ties", a, b, "--base", base, "--set", "densty=1"], "no parameter densty"),
        (["--method", "slerp", a, b], "slerp needs t"),
        (["--method", "slerp", a, b, "--alpha", "0.5"], "--alpha is only for linear"),
        (["--method", "ties", a, b, "--base", base, "--density", "1", "--set", "density=1"], "both give density"),
        (["--method", "linear", a, b, "--base", base], "uses no base"),
      ] {
        let outcome = try Command.run(["merge"] + arguments + ["-o", out])
        #expect(outcome.code == 64 && outcome.err.contains(words), "\(arguments): \(outcome.err)")
      }
      #expect(scratch.names.isEmpty)

      for (path, values) in [(a, [3, 1, -1] as [Float]), (b, [1, 5, 1]), (base, [1, 1, 1])] {
        try Safetensors.write(Weights([("w", Tensor(values))]), to: path)
      }
      // Task vectors [2, 0, −2] and [0, 4, 0]; a third of each leaves [2, 0, 0] and [0, 4, 0].
      let arguments = ["merge", "--method", "ties", a, b, "--base", base, "--density", "0.4", "--weights", "0.5,2"]
      let ties = try Command.run(arguments + ["--set", "lambda=3", "-o", out])
      #expect(ties.code == 0, "\(ties.err)")
      let result = try Safetensors.read(out)
      #expect(try result.weights["w"]?.array(Float.self) == [7, 13, 1])
      #expect(result.metadata["merge.settings"]?.contains(#""density":[0.4,0.4],"lambda":[3]"#) == true)
      #expect(result.metadata["merge.base"]?.contains("c.safetensors") == true)
      #expect(result.metadata["merge.settings"]?.contains(#""normalize":[true]"#) == true)
    }

    #if os(Linux)
      // libtorch takes a third of a second to load, which nobody should wait for who does not use it.
      @Test func nothingThatDoesWithoutLibtorchLoadsIt() throws {
        let scratch = Scratch()
        try Data().write(to: scratch.url("libtorch_cpu.so"))
        let environment = ["LD_LIBRARY_PATH": scratch.folder.path]
        let (a, b, base) = (scratch.path("a.safetensors"), scratch.path("b.safetensors"), scratch.path("c.safetensors"))
        let out = scratch.path("out.safetensors")
        for (path, values) in [(a, [3, 1, -1] as [Float]), (b, [1, 5, 1]), (base, [1, 1, 1])] {
          try Safetensors.write(Weights([("w", Tensor(values))]), to: path)
        }
        for arguments in [
          ["--help"], ["study", "list"], ["inspect", a], ["merge", "linear", a, b, "-o", out],
          ["diff", a, b], ["merge", "model_stock", a, b, "--base", base, "-o", scratch.path("stock.safetensors")],
        ] {
          let outcome = try Command.run(arguments, environment: environment)
          #expect(outcome.code == 0, "\(arguments): \(outcome.err)")
        }
        #expect(try Safetensors.read(out).weights["w"]?.array(Float.self) == [2, 3, 0])

        let doctor = try Command.run("doctor", environment: environment)
        #expect(doctor.code == 1 && doctor.out.contains("file too short") && doctor.out.contains("make bootstrap"))
        let model = try Command.run("model", "show", "mlp", environment: environment)
        #expect(model.code == 71 && model.err.hasPrefix("Error: loading libtorch: "), "\(model.err)")
      }
    #endif

    @Test func listsEveryMethod() throws {
      let list = try Command.run("merge", "--list-methods", "--json")
      let methods = try #require(try JSONSerialization.jsonObject(with: Data(list.out.utf8)) as? [[String: Any]])
      #expect(methods.count == 34 && methods.allSatisfy { $0["summary"] is String && $0["parameters"] is [Any] })
      let text = try Command.run("merge", "--list-methods").out
      #expect(methods.allSatisfy { text.contains("\($0["name"] ?? ""): ") })
      #expect(text.contains("gamma  a number within 0 … 1, or one per model (default: 0.01)"))
    }
  }
}
