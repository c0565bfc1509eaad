import Foundation
import Testing

@testable import Reports
@testable import Studies

@Suite struct InteriorMaximumTests {
  /// The test on runs with these mean gains at S̃ = 0.001, 0.002, … and normal scatter.
  private func test(
    _ means: [Double], seeds: Int = 4, scatter: Double = 0.05, _ generator: inout SeededGenerator
  ) -> InteriorMaximum {
    let samples = means.enumerated().map { index, center in
      let values = (0..<seeds).map { _ in center + scatter * generator.normal() }
      let position = 0.001 * Double(index + 1)
      let level = InteriorMaximum.Level(
        position: position, from: position, to: position, configurations: ["lr \(index)"],
        gain: Estimate(value: mean(values), lower: nil, upper: nil, interval: .seeds, runs: seeds))
      return InteriorMaximum.Sample(level: level, values: values, isRepeated: seeds > 1)
    }
    return InteriorMaximum(.accuracy, quantity: "S̃", samples)
  }

  @Test func aTruePeakIsSignificant() throws {
    var generator = SeededGenerator(state: 1)
    let result = test([0, 0.1, 0.3, 0.6, 0.5, 0.2, 0.05], &generator)
    #expect(result.verdict == .significant)
    #expect(try #require(result.best).position == 0.004)
    #expect(try #require(result.pValue) < 0.05)
    #expect(result.candidates == 5)
  }

  @Test func aMonotoneCurveIsNot() {
    var generator = SeededGenerator(state: 2)
    #expect(test([0, 0.1, 0.3, 0.5, 0.7, 0.9], &generator).verdict == .bestAtHighEnd)
    #expect(test([0.9, 0.7, 0.5, 0.3, 0.1, 0], &generator).verdict == .bestAtLowEnd)
  }

  @Test func falseAlarmsAreRarerThanStated() {
    // A flat curve, and the worst case: a rise to a plateau, where one of the two tests always passes.
    for (seed, means) in [[0, 0, 0, 0, 0, 0, 0], [0, 2, 2, 2, 2, 2, 2.0], [0, 1, 2.0]].enumerated() {
      var generator = SeededGenerator(state: UInt64(100 + seed))
      let trials = 1500
      let alarms = (0..<trials).filter { _ in test(means, seeds: 3, &generator).verdict == .significant }.count
      // 5 % and three standard errors of its estimate.
      #expect(
        Double(alarms) / Double(trials) < 0.05 + 3 * (0.05 * 0.95 / Double(trials)).squareRoot(), "\(means): \(alarms)")
    }
  }

  @Test func weakPeaksAreFoundInAFairPartOfTrials() {
    var generator = SeededGenerator(state: 5)
    let found = (0..<200).filter { _ in test([0, 0.3, 0], seeds: 5, scatter: 0.1, &generator).verdict == .significant }
    #expect(found.count > 150)
  }

  @Test func tooFewSeedsAllowNoTest() throws {
    let results = StudyResults(
      name: "s", description: "", axes: ["optimizer.lr"], settings: [],
      runs: [(0.1, 0.0), (0.2, 0.5), (0.3, 0.1)].map { run($0.1, proxy: $0.0, seed: 0) })
    let analysis = try Analysis(results)
    let maximum = try #require(analysis.maxima.first)
    #expect(maximum.verdict == .noTest)
    #expect(try #require(maximum.reason).contains("repeated seeds"))
    #expect(Conclusion(analysis: analysis).headline.hasPrefix("Too few runs"))
  }

  @Test func lossTurnsTheSign() throws {
    var runs: [RunResults] = []
    for (index, gain) in [0.0, -0.02, 0.001].enumerated() {
      for seed in 0..<4 {
        var result = run(0, proxy: 0.1 * Double(index + 1), seed: seed)
        result.rows[0].lossGain = gain + 0.0005 * Double(seed)
        runs.append(result)
      }
    }
    let results = StudyResults(name: "s", description: "", axes: ["optimizer.lr"], settings: [], runs: runs)
    let loss = try #require(Analysis(results).maxima.first { $0.measure == .loss })
    #expect(loss.verdict == .significant)
    #expect(loss.intervalAboveEnds)
    #expect(try #require(loss.best).position == 0.2)
  }

  @Test func divergedRunsAreLeftOutAndCounted() throws {
    var results = Synthetic().results()
    let diverged = results.runs.filter { if case .diverged = $0.status { true } else { false } }
    #expect(!diverged.isEmpty)
    let analysis = try Analysis(results)
    #expect(analysis.warnings.contains { $0.hasPrefix("\(counted(diverged.count, "run")) diverged") })
    #expect(analysis.maxima[0].levels.reduce(0) { $0 + $1.gain.runs } == results.runs.count - diverged.count)

    for index in results.runs.indices { results.runs[index].status = .diverged(step: 1) }
    let error = #expect(throws: ReportError.self) { try Analysis(results) }
    let words = "\(results.runs.count) diverged) has finished with a merge"
    #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    #expect(error?.description.contains("study noise demo: ") == true)
    #expect(error?.description.contains("run it with `valley study run`") == true)
  }

  @Test func levelsOfEqualNoiseAreOne() throws {
    // 0.1/32 and 0.2/64 have the same S̃.
    let analysis = try Analysis(
      Synthetic(learningRates: [0.1, 0.2, 0.4], batchSizes: [32, 64, 128], diverges: false).results())
    #expect(analysis.configurations.count == 9)
    #expect(analysis.maxima[0].levels.map(\.configurations.count) == [1, 2, 3, 2, 1])
  }

  @Test func manyValuesMakeFiveLevelsBetweenTheEnds() throws {
    let analysis = try Analysis(Synthetic(diverges: false).results())
    #expect(analysis.configurations.count == 15)
    let levels = analysis.maxima[0].levels
    #expect(levels.map(\.configurations.count) == [1, 2, 3, 2, 3, 3, 1])
    #expect(zip(levels, levels.dropFirst()).allSatisfy { $0.to < $1.from })
    #expect(levels.allSatisfy { $0.from <= $0.position && $0.position <= $0.to })
    #expect(analysis.maxima[0].verdict == .significant)
  }

  @Test func neighboursDoNotStandInForSeeds() throws {
    let analysis = try Analysis(Synthetic(seeds: [0], diverges: false).results())
    #expect(analysis.maxima[0].levels[1].gain.runs > 1)
    #expect(analysis.maxima[0].verdict == .noTest)
  }

  @Test func takingNeighboursTogetherRaisesNoFalseAlarms() throws {
    // A rise to a plateau on a grid of fifteen values, with the whole analysis.
    let trials = 300
    var alarms = 0
    for seed in 0..<trials {
      var synthetic = Synthetic(epochs: [1], endpoints: 2, diverges: false, noise: false)
      synthetic.generatorSeed = UInt64(seed)
      synthetic.gain = { min(0.3, 0.2 * ($0 + 3.7)) }
      alarms += try Analysis(synthetic.results()).maxima[0].verdict == .significant ? 1 : 0
    }
    #expect(Double(alarms) / Double(trials) < 0.05 + 3 * (0.05 * 0.95 / Double(trials)).squareRoot(), "\(alarms)")
  }
}
