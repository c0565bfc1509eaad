import Foundation
import Testing

@testable import Reports
@testable import Studies

/// The values in Fixtures/reference.json, which Fixtures/reference.py made with SciPy.
private struct Reference: Decodable {
  var quantiles: [[Double]]
  var tails: [[Double]]
  var welch: [Sample]
  var intervals: [Interval]
  var pearson: [Pearson]
  var jackknife: Jackknife

  struct Pearson: Decodable {
    var x: [Double]
    var y: [Double]
    var r: Double
    var p: Double
    var lower: Double
    var upper: Double
    var slope: Double
    var intercept: Double
  }

  struct Jackknife: Decodable {
    var pairs: [[Double]]
    var error: Double
    var singles: [Double]
    var singles_error: Double
  }

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
      "Fixtures/reference.json")
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

  @Test func correlationsAgreeWithSciPy() throws {
    for sample in try Reference.load().pearson {
      let result = try #require(Correlation(Array(zip(sample.x, sample.y))))
      #expect(isClose(result.r, sample.r))
      #expect(isClose(try #require(result.pValue), sample.p, relative: 1e-7))
      #expect(isClose(result.slope, sample.slope))
      #expect(isClose(result.intercept, sample.intercept))
      // Of three points SciPy says −1 to 1, which says nothing.
      guard sample.x.count > 3 else {
        #expect(result.lower == nil && result.upper == nil)
        continue
      }
      #expect(isClose(try #require(result.lower), sample.lower))
      #expect(isClose(try #require(result.upper), sample.upper))
    }
  }

  @Test func withoutSpreadThereIsNoCorrelation() throws {
    #expect(Correlation([(1, 2), (1, 3), (1, 4)]) == nil)
    #expect(Correlation([(1, 2), (2, 2), (3, 2)]) == nil)
    #expect(Correlation([(1, 2), (2, 3)]) == nil)
    let exact = try #require(Correlation([(1, 2), (2, 4), (3, 6), (4, 8)]))
    #expect(exact.r == 1)
    #expect(exact.pValue == 0)
    #expect(exact.text("run") == "r = 1.00 (4 runs, which lie on a line)")
  }

  @Test func theJackknifeLeavesOutEndpoints() throws {
    let reference = try Reference.load().jackknife
    let pairs = reference.pairs.map { Estimate.Sample(endpoints: [Int($0[0]), Int($0[1])], value: $0[2]) }
    let result = try #require(jackknifeOverEndpoints(pairs))
    #expect(isClose(result.error, reference.error))
    #expect(result.degreesOfFreedom == 2)
    let singles = reference.singles.enumerated().map { Estimate.Sample(endpoints: [$0.offset], value: $0.element) }
    #expect(isClose(try #require(jackknifeOverEndpoints(singles)).error, reference.singles_error))
    #expect(jackknifeOverEndpoints(Array(pairs.prefix(1))) == nil)
    #expect(Estimate(samples: [pairs])?.interval == .endpoints)
    #expect(Estimate(samples: [pairs, pairs])?.interval == .seeds)
  }

  @Test func aPlateauIsMeasuredBetweenPoints() {
    let curve: [Double: Double] = [0: 10, 0.2: 14, 0.4: 16, 0.6: 15.5, 0.8: 12]
    let (width, reachesEnd) = plateau(curve, sign: 1, tolerance: 1)
    // From 15 between 14 and 16 to 15 between 15.5 and 12.
    #expect(isClose(width, 0.6 + 0.2 * 0.5 / 3.5 - 0.3))
    #expect(!reachesEnd)
    #expect(isClose(plateau(curve.mapValues { -$0 }, sign: -1, tolerance: 1).width, width))
    #expect(plateau(curve, sign: 1, tolerance: 5).reachesEnd)
    // A second rise beyond a dip does not count.
    #expect(isClose(plateau([0: 1, 1: 3, 2: 0, 3: 3], sign: 1, tolerance: 1).width, 5.0 / 6))
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
