import Foundation
import Testing

@testable import Reports
@testable import Studies

/// The values in Fixtures/student_t.json, which Fixtures/student_t.py made with SciPy.
private struct Reference: Decodable {
  var quantiles: [[Double]]
  var tails: [[Double]]
  var welch: [Sample]
  var intervals: [Interval]

  struct Sample: Decodable {
    var a: [Double]
    var b: [Double]
    var p: Double

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      a = try container.decode([Double].self)
      b = try container.decode([Double].self)
      p = try container.decode(Double.self)
    }
  }

  struct Interval: Decodable {
    var values: [Double]
    var lower: Double
    var upper: Double

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      values = try container.decode([Double].self)
      lower = try container.decode(Double.self)
      upper = try container.decode(Double.self)
    }
  }

  static func load() throws -> Reference {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "Fixtures/student_t.json")
    return try JSONDecoder().decode(Reference.self, from: Data(contentsOf: url))
  }
}

private func isClose(_ a: Double, _ b: Double, relative: Double = 1e-9) -> Bool {
  abs(a - b) <= relative * max(abs(a), abs(b)) + 1e-14
}

/// A finished run whose merges all gain the same.
func run(_ gain: Double, proxy: Double, seed: Int, error: Double? = 0.1, settings: [Setting]? = nil) -> RunResults {
  RunResults(
    id: "\(proxy)-\(seed)", status: .done, learningRate: proxy, batchSize: 1, momentum: 0, weightDecay: 0, seed: seed,
    noiseProxy: proxy, settings: settings ?? [Setting(key: "optimizer.lr", value: "\(proxy)")],
    rows: [
      ResultRow(
        kind: .merged, epoch: 1, step: 10, endpoints: [0, 1], method: "linear", alpha: 0.5, testAccuracy: 0.5,
        testLoss: 1,
        weightNorm: 1, accuracyGain: gain / 100, accuracyGainError: error.map { $0 / 100 })
    ])
}

@Suite struct StatisticsTests {
  @Test func quantilesAgreeWithSciPy() throws {
    for row in try Reference.load().quantiles {
      #expect(isClose(StudentT(degreesOfFreedom: row[0]).quantile(row[1]), row[2]), "ν \(row[0]), q \(row[1])")
    }
  }

  @Test func tailsAgreeWithSciPy() throws {
    for row in try Reference.load().tails {
      #expect(isClose(StudentT(degreesOfFreedom: row[0]).upperTail(row[1]), row[2]), "ν \(row[0]), t \(row[1])")
    }
  }

  @Test func welchAgreesWithSciPy() throws {
    for sample in try Reference.load().welch {
      let p = try #require(welchGreater(sample.a, sample.b))
      #expect(isClose(p, sample.p, relative: 1e-6), "\(sample.a) \(sample.b)")
    }
  }

  @Test func intervalsOverSeedsAgreeWithSciPy() throws {
    for interval in try Reference.load().intervals {
      let gains = interval.values.enumerated().compactMap {
        RunGain(run($0.element, proxy: 1, seed: $0.offset), .accuracy, MergeSelection())
      }
      let estimate = try #require(Estimate(runs: gains))
      #expect(estimate.interval == .seeds)
      #expect(isClose(try #require(estimate.lower), interval.lower, relative: 1e-6))
      #expect(isClose(try #require(estimate.upper), interval.upper, relative: 1e-6))
    }
  }

  @Test func welchNeedsRepetitionAndScatter() {
    #expect(welchGreater([1], [1, 2]) == nil)
    #expect(welchGreater([1, 1], [2, 2]) == nil)
  }

  @Test func oneSeedFallsBackOnTestExamples() throws {
    let gain = try #require(RunGain(run(0.4, proxy: 1, seed: 0), .accuracy, MergeSelection()))
    let estimate = try #require(Estimate(runs: [gain]))
    #expect(estimate.interval == .testExamples)
    #expect(isClose(try #require(estimate.upper), 0.4 + 0.1 * 1.959963984540054))
    let bare = try #require(RunGain(run(0.4, proxy: 1, seed: 0, error: nil), .accuracy, MergeSelection()))
    #expect(Estimate(runs: [bare])?.interval == Estimate.Interval.none)
  }

  @Test func localLinearReproducesALine() {
    let points = (0..<7).map { (x: Double($0), y: 3 - 2 * Double($0)) }
    #expect(isClose(localLinear(points, bandwidth: 0.8, at: 2.3), 3 - 2 * 2.3))
    #expect(isClose(localLinear([(x: 1, y: 5)], bandwidth: 0.5, at: 1.2), 5))
  }

  @Test func aRunsGainIsTheMeanOverTheLaterHalfOfItsCheckpoints() throws {
    var result = run(0, proxy: 1, seed: 0)
    let template = result.rows[0]
    result.rows = (1...5).flatMap { checkpoint in
      [(0.5, Double(checkpoint)), (0.25, 100)].map { alpha, gain in
        var row = template
        (row.step, row.alpha, row.accuracyGain) = (checkpoint, alpha, gain / 100)
        return row
      }
    }
    func gain(_ checkpoints: MergeSelection.Checkpoints) -> Double? {
      RunGain(result, .accuracy, MergeSelection(checkpoints: checkpoints))?.value
    }
    #expect(isClose(try #require(gain(.laterHalf)), 4))
    #expect(isClose(try #require(gain(.all)), 3))
    #expect(isClose(try #require(gain(.last)), 5))
    #expect(MergeSelection(alpha: 0.3).resolved(for: [result]).alpha == 0.25)
  }
}
