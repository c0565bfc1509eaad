import Foundation
import Landscape
import Studies
import Testing
import Workbench

@Suite struct SurveyTests {
  @Test func pathsGoOnWhereTheyStopped() throws {
    let place = try Workplace()
    let folder = place.scratch.url("path")
    let survey = PathSurvey(points: 3, curve: CurveSettings(.bezier, epochs: 1, learningRate: 0.01))
    let heard = Heard()
    let first = try survey.measure(place.bench(), keptIn: folder, report: heard.listener)
    #expect(first.paths.map(\.measure.shape) == [.line, .bezier] && first.paths[0].measure.positions == [0, 0.5, 1])
    #expect(first.trainExamples == nil && first.testExamples == 64 && first.paths[0].trainBarrier == nil)
    #expect(heard.stages == ["point", "curve step"])
    let alone = try CheckpointEvaluation(of: place.networks[1], from: Workplace.source)
    #expect(abs(alone.splits[0].loss - (first.paths[0].measure.points[2].test?.loss ?? 0)) < 1e-5)
    // Nothing is measured twice.
    let rows = try Data(contentsOf: folder.appendingPathComponent("points.jsonl"))
    let second = try survey.measure(place.bench(), keptIn: folder)
    #expect(second.paths.map(\.measure) == first.paths.map(\.measure))
    #expect(try Data(contentsOf: folder.appendingPathComponent("points.jsonl")) == rows)
    // Another setting is another measurement.
    let again = Heard()
    _ = try PathSurvey(points: 2).measure(
      place.bench(2, Measuring(split: .train)), keptIn: folder, report: again.listener)
    #expect(again.notes.first?.contains("points.jsonl holds points of another network, data or BatchNorm") == true)

    #expect(try PathSurvey(points: 2, allPairs: true).measure(place.bench(3)).paths.count == 3)
    #expect(refusal { try PathSurvey(points: 1).check(weights: 2) } == "`points` is 1; expected 2 … 10001")
    #expect(refusal { try PathSurvey().check(weights: 3) }.contains("3 weights make no pairs"))
    let sharp = PathSurvey(curve: CurveSettings(.bezier, bends: 17))
    #expect(refusal { try sharp.check(weights: 2) } == "`curve.bends` is 17; expected 1 … 16")
  }

  @Test func aPlaneIsEncodedWithWhatItWasMeasuredOn() throws {
    let place = try Workplace()
    let found = try PlaneSurvey(size: 3).measure(place.bench(3))
    #expect(found.plane.points.count == 9 && found.plane.marks.map(\.name) == ["a", "b", "c"])
    let json = try #require(try JSONSerialization.jsonObject(with: JSONEncoder().encode(found)) as? [String: Any])
    #expect(json["setting"] as? String == "mlp on glyphs; measured on 64 test examples" && json["model"] != nil)
    #expect(json["weights"] as? [String] == ["a", "b", "c"] && json["plane"] is [String: Any])
    let random = try PlaneSurvey(randomSeed: 1, size: 2).measure(place.bench(1))
    #expect(random.plane.alphas == [-1, 1] && random.seed == 1)
    #expect(refusal { try PlaneSurvey().check(weights: 2) }.contains("a plane goes through three"))
    #expect(refusal { try PlaneSurvey(low: 2, high: 1).check(weights: 3) }.contains("`low` is 2.0, which is not below"))
  }

  @Test func curvature() throws {
    let place = try Workplace()
    var survey = CurvatureSurvey(top: 1, tolerance: 1e-2, traceProbes: 1, towardsLast: true)
    let found = try survey.measure(place.bench(), keptIn: place.scratch.url("curvature"))
    let network = try #require(found.networks.first)
    #expect(found.networks.count == 1 && found.parameters == 192 * 8 + 8 + 80 + 10 && found.examples == 64)
    #expect(network.eigenvalues?.largest.count == 1 && network.trace != nil && network.towards?.name == "b")
    let names = try FileManager.default.contentsOfDirectory(atPath: place.scratch.path("curvature"))
    #expect(!names.contains { $0.hasPrefix("products-") })
    let same = refusal {
      let bench = try Bench([place.networks[0], place.networks[0]], from: Workplace.source)
      _ = try survey.measure(bench)
    }
    #expect(same.contains("is the same point as a"), "\(same)")
    survey = CurvatureSurvey(top: 9, budget: 4)
    #expect(refusal { try survey.check(weights: 1) } == "`budget` is 4, which is too few for 9 eigenvalues")
    #expect(refusal { try CurvatureSurvey(top: 0).check(weights: 1) }.contains("nothing to measure"))
  }

  @Test func similarityAndDisagreement() throws {
    let place = try Workplace()
    let bench = try Bench([place.networks[0], place.networks[0]], from: Workplace.source)
    let same = try SimilaritySurvey(layers: nil).measure(bench)
    #expect(!same.cka.diagonal.isEmpty && same.cka.diagonal.allSatisfy { abs($0.value - 1) < 1e-4 })
    let unknown = refusal { _ = try SimilaritySurvey(layers: ["layer.0"]).measure(place.bench()) }
    #expect(unknown.contains("no layer 'layer.0'; did you mean 'layers.0'?"), "\(unknown)")
    let found = try DisagreementSurvey().measure(place.bench(3)).disagreement
    #expect(found.scores.map(\.name) == ["a", "b", "c", "singles' mean", "ensemble", "merge"] && found.examples == 64)
    #expect(refusal { try SimilaritySurvey().check(weights: 3) } == "there are 3 weights; CKA compares two")
    #expect(refusal { try DisagreementSurvey().check(weights: 1) }.contains("two or more can disagree"))
    #expect(refusal { _ = try place.bench(1, Measuring(examples: 0)) } == "`examples` is 0; expected 1 or more")
  }
}
