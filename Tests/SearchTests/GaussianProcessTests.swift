import Foundation
import Support
import Testing

@testable import Search

/// Against scikit-learn, whose numbers `Tests/Fixtures/search.py` writes.
@Suite struct GaussianProcessTests {
  private struct Fixture: Decodable {
    struct Process: Decodable {
      var points, places: [[Double]]
      var values, lengths, means, deviations, gradient, improvements: [Double]
      var signal, noise, evidence: Double
    }
    var processes: [Process]
  }

  private static func processes() throws -> [Fixture.Process] {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/gaussian-process.json")
    return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url)).processes
  }

  @Test func posteriorIsScikitLearns() throws {
    for expected in try Self.processes() {
      let process = try #require(
        GaussianProcess(
          expected.points, expected.values, owners: Array(expected.lengths.indices),
          .init(lengths: expected.lengths, signal: expected.signal, noise: expected.noise)))
      let best = try #require(expected.values.min())
      for (index, place) in expected.places.enumerated() {
        let (mean, deviation) = process.posterior(at: place)
        #expect(abs(mean - expected.means[index]) < 1e-8)
        #expect(abs(mean - process.mean(at: place)) < 1e-12)
        #expect(abs(deviation - expected.deviations[index]) < 1e-6)
        let improvement = exp(logExpectedImprovement(gain: best - mean, deviation: deviation))
        #expect(abs(improvement - expected.improvements[index]) < 1e-6)
      }
    }
  }

  @Test func evidenceAndItsGradientAreScikitLearns() throws {
    for expected in try Self.processes() {
      let evidence = Evidence(expected.points, expected.values, owners: Array(expected.lengths.indices))
      let theta = (expected.lengths + [expected.signal, expected.noise]).map { log($0) }
      let (value, gradient) = try #require(evidence.logLikelihood(theta))
      #expect(abs(value - expected.evidence) < 1e-7 * max(1, abs(expected.evidence)))
      for (ours, theirs) in zip(gradient, expected.gradient) {
        #expect(abs(ours - theirs) < 1e-5 * max(1, abs(theirs)))
      }
    }
  }

  /// What does not matter gets a long length, what matters a short one.
  @Test func fittingFindsWhatMatters() throws {
    var random = SplitMix64(1, salt: .search)
    let points = (0..<25).map { _ in [random.uniformDouble(), random.uniformDouble()] }
    let values = GaussianProcessSearch.levelled(points.map { sin(6 * $0[0]) })
    let evidence = Evidence(points, values, owners: [0, 1])
    let start = try #require(evidence.logPosterior(evidence.priors.map(\.mean)))
    let theta = evidence.best(random: &random)
    let end = try #require(evidence.logPosterior(theta))
    #expect(end.value > start.value)
    #expect(end.gradient.allSatisfy { abs($0) < 0.1 })
    let parameters = Evidence.parameters(theta)
    #expect(parameters.lengths[0] * 3 < parameters.lengths[1])
    #expect(parameters.noise < 0.01)
  }

  @Test func coincidingPointsAreBorne() throws {
    let points = [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0.1, 0.9]]
    let process = try #require(
      GaussianProcess(points, [1, 1, 1, -1], owners: [0, 1], .init(lengths: [1, 1], signal: 1, noise: 0)))
    let (mean, deviation) = process.posterior(at: [0.5, 0.5])
    #expect(abs(mean - 1) < 0.01 && deviation < 0.02)
    #expect(Cholesky([1, 1, 1, 1], size: 2).map { $0.jitter > 0 } == true)
    #expect(Cholesky([1, .nan, .nan, 1], size: 2) == nil)
    #expect(Cholesky([1, 2, 2, 1], size: 2) == nil)
  }

  @Test func improvementIsFiniteFarFromHope() {
    var last = Double.infinity
    for gain in stride(from: 5.0, to: -200, by: -0.25) {
      let value = logExpectedImprovement(gain: gain, deviation: 1)
      #expect(value.isFinite && value < last)
      last = value
    }
    #expect(logExpectedImprovement(gain: 1, deviation: 0).isFinite)
    // φ(0)
    #expect(abs(logExpectedImprovement(gain: 0, deviation: 2) - log(2 / (2 * .pi).squareRoot())) < 1e-12)
  }
}
