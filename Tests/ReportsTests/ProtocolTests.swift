import Foundation
import Testing

@testable import Reports
@testable import Studies

@Suite struct ProtocolTests {
  @Test func transferHasACorrelationOnEveryTestSet() throws {
    let analysis = try Analysis(SyntheticProtocols.transfer())
    let transfer = try #require(analysis.transfer)
    #expect(transfer.testSets.map(\.evaluation) == [nil, "fmow-ood"])
    for set in transfer.testSets {
      let correlation = try #require(set.correlation)
      #expect(correlation.r > 0.95)
      #expect(correlation.count == 5)
      #expect(set.levels.map(\.learningRate) == SyntheticProtocols.rates)
      #expect(set.bestMerged >= set.bestSingle)
      #expect(set.levels.allSatisfy { $0.ensemble != nil && $0.single.interval == .endpoints })
      #expect(set.levels.allSatisfy { $0.gain.interval == .testExamples })
    }
    #expect(try Report(SyntheticProtocols.transfer()).figureNames.first == "transfer-accuracy")
    let headline = Conclusion(analysis: analysis).headline
    #expect(headline.hasPrefix("The gain from merging grows with the learning rate (r = "))
    #expect(transfer.sentences.count == 2)
    #expect(!Conclusion(analysis: analysis).paragraphs.contains { $0.contains("no test is possible") })
    #expect(transfer.sentences[1].hasPrefix("On fmow-ood: the accuracy gain grows with the learning rate, r = "))
  }

  @Test func repeatedSeedsGiveIntervalsOverSeeds() throws {
    let transfer = try #require(Analysis(SyntheticProtocols.transfer(seeds: [0, 1, 2])).transfer)
    #expect(transfer.testSets.allSatisfy { $0.levels.allSatisfy { $0.merged.interval == .seeds && $0.gain.runs == 3 } })
    #expect(transfer.testSets[0].correlation?.count == 15)
  }

  @Test func trainingFromScratchIsNoTransfer() throws {
    #expect(try Analysis(Synthetic().results()).transfer == nil)
    var results = SyntheticProtocols.transfer(evaluations: [nil])
    #expect(try Analysis(results).transfer?.testSets.count == 1)
    results.settings = results.settings.filter { $0.key != "start" }
    #expect(try Analysis(results).transfer == nil)
  }

  @Test func gainIgnoresOtherMethodsTestSetsEnsemblesAndBases() throws {
    let plain = try Analysis(SyntheticProtocols.transfer(evaluations: [nil]))
    #expect(plain.selection == MergeSelection())
    var results = SyntheticProtocols.transfer(evaluations: [nil])
    for index in results.runs.indices {
      for var row in results.runs[index].rows where row.kind == .merged {
        (row.accuracyGain, row.evaluation) = (-0.5, "elsewhere")
        results.runs[index].rows.append(row)
        (row.evaluation, row.method) = (nil, "ties")
        results.runs[index].rows.append(row)
        (row.method, row.normalisedAccuracy) = ("linear", 0.5)
        results.runs[index].rows.append(row)
      }
    }
    let more = try Analysis(results)
    for (a, b) in zip(plain.configurations, more.configurations) {
      #expect(a.gains(.accuracy, plain.selection).map(\.value) == b.gains(.accuracy, more.selection).map(\.value))
    }
  }

  @Test func aStudyOfOneMethodIsJudgedByIt() throws {
    let analysis = try Analysis(SyntheticProtocols.transfer(methods: ["ties"]))
    #expect(analysis.selection.method == "ties")
    #expect(analysis.selection.alpha == 0.5)
    #expect(analysis.settingText.contains("TIES, α = 0.5"))
  }

  @Test func curvesOverAlphaStartAtTheBase() throws {
    let analysis = try Analysis(SyntheticProtocols.transfer(methods: ["linear", "task_arithmetic", "ties"]))
    #expect(analysis.alphaCurves.map(\.evaluation) == [nil, "fmow-ood"])
    let curves = try #require(analysis.alphaCurves.first)
    // One α makes no curve.
    #expect(curves.methods == ["task_arithmetic", "ties"])
    #expect(curves.series.count == 5)
    for curve in curves.curves {
      #expect(curve.points.map(\.alpha).count == 11)
      #expect(abs(curve.points[0].value.value - 21) < 1e-9)
    }
    let widths = curves.curves.filter { $0.method == "task_arithmetic" }.map(\.width.value)
    #expect(widths.last! > widths.first!)
    let names = try Report(SyntheticProtocols.transfer(methods: ["task_arithmetic"])).figureNames
    #expect(names.contains("accuracy-over-alpha") && names.contains("accuracy-over-alpha-fmow-ood"))
    #expect(
      curves.sentences[0].contains("the flattest curve (widest range within 1 pp of its best) is that of learning"))
  }

  @Test func interpolationDoesNotStartAtTheBase() throws {
    var results = SyntheticProtocols.transfer(evaluations: [nil], methods: ["task_arithmetic"])
    for run in results.runs.indices {
      for row in results.runs[run].rows.indices where results.runs[run].rows[row].kind == .merged {
        results.runs[run].rows[row].method = "linear"
      }
    }
    let curves = try #require(Analysis(results).alphaCurves.first)
    #expect(curves.curves.allSatisfy { $0.points[0].alpha == 0.1 })
  }

  @Test func languageIsJudgedByItsLoss() throws {
    let report = try Report(SyntheticProtocols.language())
    #expect(report.analysis.measures == [.loss, .accuracy])
    #expect(report.analysis.alphaCurves.map(\.measure) == [.loss])
    #expect(report.analysis.maxima.first?.measure == .loss)
    #expect(report.figureNames.contains("loss-over-alpha"))
    #expect(report.figureNames.contains("loss-gain-against-effective-noise-adam"))
    let scatter = try #require(report.figures.first { $0.name == "loss-gain-over-training" })
    #expect(scatter.table.columns.contains("single_loss"))
  }

  @Test func tasksHaveCurvesAndAHeatMapForEachMethod() throws {
    let report = try Report(SyntheticProtocols.tasks())
    #expect(
      report.figureNames == [
        "tasks-over-alpha", "tasks-heat-map-task-arithmetic", "tasks-heat-map-ties", "training-loss",
      ])
    #expect(report.analysis.warnings.isEmpty)
    let tasks = try #require(report.analysis.tasks)
    #expect(tasks.cells.count == 2 * 10 * 25)
    #expect(tasks.taskSets == [["fmow", "resisc45"]])
    #expect(tasks.cells.allSatisfy { $0.normalisedAccuracy.interval == .seeds && $0.normalisedAccuracy.runs == 3 })
    let best = try #require(tasks.cells.max { $0.value < $1.value })
    #expect(best.learningRates.allSatisfy { $0 >= 1e-5 })
    #expect(Conclusion(analysis: report.analysis).headline.hasPrefix("Across tasks, merging keeps at best "))
    #expect(tasks.sentences[0].contains("Best pair by α: 0.1: "))
    #expect(report.figures[1].table.columns.contains("learning_rate_resisc45"))
  }

  @Test func oneSeedOfTasksHasIntervalsOverTestExamples() throws {
    let tasks = try #require(Analysis(SyntheticProtocols.tasks(seeds: [0], rates: [1e-5, 1e-4])).tasks)
    for estimate in tasks.cells.map(\.normalisedAccuracy) {
      #expect(estimate.interval == .testExamples)
      // Two tasks, each with the error 0.004 / 0.8.
      let error = try #require(estimate.upper) - estimate.value
      #expect(abs(error - 1.959963984540054 * 0.5 / 2.0.squareRoot()) < 1e-9)
    }
  }

  @Test func endpointsAreSortedByTask() throws {
    var results = SyntheticProtocols.tasks(seeds: [0], rates: [1e-5, 1e-4])
    let expected = try #require(Analysis(results).tasks).cells.map(\.learningRates)
    for index in results.runs[0].rows.indices where results.runs[0].rows[index].kind == .merged {
      results.runs[0].rows[index].endpoints.reverse()
      results.runs[0].rows[index].learningRates?.reverse()
    }
    #expect(try #require(Analysis(results).tasks).cells.map(\.learningRates) == expected)
  }

  @Test func oneLearningRateHasNoHeatMap() throws {
    let names = try Report(SyntheticProtocols.tasks(seeds: [0], rates: [1e-5])).figureNames
    #expect(names.first == "tasks-over-alpha")
    #expect(!names.contains { $0.contains("heat-map") })
  }

  @Test func atMostSixCoefficientsAreShownWithTheBestAmongThem() throws {
    let cells = try #require(Analysis(SyntheticProtocols.tasks()).tasks).cells
    let shown = TaskMerges.shown(cells)
    #expect(shown.count == 6)
    #expect(shown.contains(try #require(cells.max { $0.value < $1.value }).alpha))
  }

  @Test func theSummaryHoldsWhatWasFound() throws {
    for results in [
      SyntheticProtocols.transfer(methods: ["linear", "ties"]), SyntheticProtocols.tasks(),
      SyntheticProtocols.language(),
    ] {
      let report = try Report(results)
      let summary = try JSONDecoder().decode(Summary.self, from: report.summary.json())
      #expect((summary.transfer == nil) == (report.analysis.transfer == nil))
      #expect(summary.alphaCurves.count == report.analysis.alphaCurves.count)
      #expect(summary.tasks?.cells.count == report.analysis.tasks?.cells.count)
    }
  }
}
