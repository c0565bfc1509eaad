import Networks
import TestSupport
import Testing
import Torch

@testable import Landscape

@Suite struct DisagreementTests {
  @Test(arguments: ["mlp", "resnet"]) func everythingIsNumpys(_ prefix: String) throws {
    let samples = try MeasureSamples(prefix)
    let points = ["a", "b", "c"].map { ($0, samples.weights($0)) }
    let found = try Disagreement(of: points, merge: nil, samples.network, on: samples.examples, batchSize: 10)
    let scores = found.scores.filter { $0.name != "singles' mean" }
    #expect(scores.map(\.name) == ["a", "b", "c", "ensemble"])
    for (score, (accuracy, loss)) in zip(scores, zip(try samples.values("accuracies"), try samples.values("cross"))) {
      #expect(abs(score.accuracy - accuracy) < 1e-9)
      #expect(abs(score.loss - loss) < 1e-5)
    }
    let (agreements, correlations) = (try samples.values("agreements"), try samples.values("correlations"))
    #expect(found.pairs.map(\.first) == ["a", "a", "b"] && found.pairs.map(\.second) == ["b", "c", "c"])
    for (pair, (agreement, correlation)) in zip(found.pairs, zip(agreements, correlations)) {
      #expect(abs(pair.agreement - agreement) < 1e-9)
      #expect(try abs(#require(pair.errorCorrelation) - correlation) < 1e-9)
    }
    let (mean, reach) = (try samples.values("lossDifference")[0], try samples.values("lossDifference")[1])
    #expect(abs(found.differences[0].loss - mean) < 1e-6)
    #expect(abs(found.differences[0].lossUpper - mean - reach) < 1e-6)
  }

  @Test func theMergeStandsBesideTheEnsemble() throws {
    let samples = try MeasureSamples("mlp")
    let a = samples.weights("a")
    // The merge of a network with itself is the network, and so is its ensemble.
    let found = try Disagreement(of: [("a", a), ("b", a)], merge: a, samples.network, on: samples.examples)
    #expect(found.differences.count == 3)
    for difference in found.differences {
      #expect(difference.accuracy == 0 && abs(difference.loss) < 1e-6)
    }
    #expect(found.pairs.allSatisfy { $0.agreement == 1 })
    #expect(found.pairs.map(\.second).contains("ensemble"))
    let error = #expect(throws: LandscapeError.self) {
      try Disagreement(of: [("a", a)], merge: nil, samples.network, on: samples.examples)
    }
    #expect(
      error?.description == "1 networks on 24 examples cannot disagree; expected two or more of both")
  }
}
