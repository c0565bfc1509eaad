import Checkpoints
import Studies
import Testing
import Torch
import Weights
import Workbench

@Suite struct EvaluationTests {
  @Test func aCheckpointOnBothSplits() throws {
    let place = try Workplace()
    let found = try CheckpointEvaluation(of: place.networks[0], from: Workplace.source, splits: [.train, .test])
    #expect(found.splits.map(\.examples) == [64, 64] && found.model == "mlp" && found.dataset == "glyphs")
    #expect(found.splits.allSatisfy { (0...1).contains($0.accuracy) && $0.loss > 0 && $0.perplexity == nil })
    // The same network and data, told by the run that a checkpoint lies in.
    let run = try place.run()
    let path = run.appendingPathComponent("checkpoints/endpoint-5-0.safetensors").path
    let inPlace = try CheckpointEvaluation(of: path)
    let named = try CheckpointEvaluation(of: path, from: RunSource(run: run.path))
    #expect(inPlace.splits[0].loss == named.splits[0].loss)
  }

  @Test func whatIsMissingOrDoesNotFitIsNamed() throws {
    let place = try Workplace()
    let path = place.networks[0]
    let unnamed = refusal { _ = try CheckpointEvaluation(of: path) }
    #expect(unnamed.contains("which network are these weights for?") && unnamed.contains("`model.name`"), "\(unnamed)")
    var other = Workplace.source
    other.settings.append(Setting(key: "model.hidden", value: "[4]"))
    let wrong = refusal { _ = try CheckpointEvaluation(of: path, from: other) }
    #expect(wrong.contains("\(path): ") && wrong.contains("layers.0.weight is [8, 192] float32, expected [4, 192]"))
    #expect(wrong.contains("name another with `model.name` and `model.…`"), "\(wrong)")
    let plain = refusal {
      _ = try CheckpointEvaluation(of: path, from: Workplace.source, reestimateBatchNorm: .full)
    }
    #expect(plain == "`reestimateBatchNorm`: mlp has no BatchNorm statistics to re-estimate")
    let nowhere = refusal { _ = try CheckpointEvaluation(of: path, from: RunSource(run: place.scratch.path("none"))) }
    #expect(nowhere.contains("none is no run folder: it has no run.json"), "\(nowhere)")
  }

  @Test func aSourceComesDownToOneRun() throws {
    let swept = RunSource(settings: Workplace.settings + [Setting(key: "seeds", value: "[0, 1]")])
    let several = refusal { _ = try swept.configuration() }
    #expect(several.contains("declares 2 runs where one is wanted; choose it with `seeds`"), "\(several)")
    #expect(try Workplace.source.configuration().batchSize == 16)
  }
}
