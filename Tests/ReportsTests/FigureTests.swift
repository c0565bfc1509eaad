import Foundation
import Support
import Testing

@testable import Reports
@testable import Studies

@Suite struct FigureTests {
  @Test func aGridHasTheThreeParts() throws {
    let names = try Report(Synthetic().results()).figureNames
    let expected = ["accuracy", "loss"].flatMap { measure in
      ["\(measure)-gain-aligned"]
        + ["learning-rate", "batch-size", "effective-noise"].map { "\(measure)-gain-against-\($0)" }
    }
    #expect(names.prefix(8) == expected.prefix(8))
    #expect(
      names.dropFirst(8) == [
        "accuracy-gain-over-training", "loss-gain-over-training", "single-accuracy-against-gain", "training-loss",
        "measured-noise",
      ])
  }

  @Test func withoutABatchSizeSweepThereIsNoFigureOfIt() throws {
    let names = try Report(Synthetic(batchSizes: [64], noise: false).results()).figureNames
    #expect(!names.contains { $0.contains("batch-size") || $0 == "measured-noise" })
    #expect(names.contains("accuracy-gain-against-learning-rate"))
    #expect(!names.contains("accuracy-gain-aligned"))
  }

  @Test func alignedPanelsShareTheirVerticalAxis() throws {
    let report = try Report(Synthetic().results())
    let figure = try #require(report.figures.first { $0.name == "accuracy-gain-aligned" })
    let quantities = Set(figure.table.rows.map { $0[0] })
    #expect(quantities == ["learning rate", "batch size", "effective noise scale S̃"])
    let text = figure.document(.file).compact
    let domain = try #require(GainPanel(report.analysis, .accuracy, over: .noise)).verticalDomain
    let shared = JSON(domain).compact
    #expect(text.components(separatedBy: "\"domain\":\(shared)").count > 3)
  }

  @Test func fewConfigurationsStandBesideTheirSingles() throws {
    let names = try Report(Synthetic(batchSizes: [64], noise: false).results()).figureNames
    #expect(names.contains("accuracy-gain-over-training"))
    #expect(!names.contains("single-accuracy-against-gain"))
  }

  @Test func aKeyThatAnotherDecidesIsNoAxisOfItsOwn() throws {
    let analysis = try Analysis(SyntheticProtocols.transfer())
    #expect(analysis.axes.map(\.key) == ["optimizer.lr"])
    #expect(analysis.lines.axes(over: .learningRate).isEmpty)
    // In a grid nothing decides anything.
    #expect(try Analysis(Synthetic().results()).axes.count == 2)
  }

  @Test func augmentationIsNamedByWhatItDoes() throws {
    let values = ["none", "{flip: true, crop: 4}", "{flip: true, crop: 0}", "{flip: false, crop: 0}"]
    let analysis = try Analysis(Synthetic(other: ("augmentation", values)).results())
    let texts = analysis.configurations.map { Axis(key: "augmentation").text($0) }
    #expect(Set(texts) == ["off", "flip + crop 4", "flip"])
  }

  @Test func manyLinesHaveASequenceOfColours() {
    #expect(Set(Palette.sequence(12)).count == 12)
    let color = Palette.encoding((0..<12).map(String.init), title: "")["color"]
    #expect(color?["scale"]?["range"] == JSON(Palette.sequence(12)), "\(String(describing: color))")
  }

  @Test func otherAxesHaveTheirFigure() throws {
    let words = try Report(Synthetic(other: ("augmentation", ["none", "flip", "crop"])).results())
    #expect(words.figureNames.first == "accuracy-gain-against-augmentation")
    #expect(words.analysis.maxima.isEmpty)
    let decay = try Report(Synthetic(other: ("optimizer.weight_decay", ["0", "1e-4", "5e-4"])).results())
    #expect(decay.figureNames.first == "accuracy-gain-against-weight-decay")
    #expect(decay.analysis.maxima.first?.quantity == "weight decay")
    #expect(decay.figures[0].table.rows.map { $0[1] } == ["0", "1e-4", "5e-4"])
  }

  @Test func aSingleConfigurationStillHasAReport() throws {
    let report = try Report(
      Synthetic(learningRates: [0.1], batchSizes: [64], seeds: [0], epochs: [5], endpoints: 2).results())
    #expect(report.figureNames.contains("accuracy-gain-over-training"))
    #expect(report.analysis.maxima.isEmpty)
    #expect(Conclusion(analysis: report.analysis).paragraphs[0].hasPrefix("Accuracy gain by configuration: "))
  }

  @Test func noResultsAreAnErrorThatSaysWhatToDo() {
    let pending = RunResults(
      id: "x", status: .pending, learningRate: 1, batchSize: 1, momentum: 0, weightDecay: 0, seed: 0, noiseProxy: 1,
      settings: [], rows: [])
    let results = StudyResults(name: "empty", description: "", axes: [], settings: [], runs: [pending, pending])
    let error = #expect(throws: ReportError.self) { try Report(results) }
    #expect(error?.description.contains("2 runs (2 pending)") == true)
  }

  @Test func unfinishedRunsAreNamed() throws {
    var results = Synthetic().results()
    results.runs[3].status = .running
    results.runs[4].status = .failed(reason: "killed")
    let analysis = try Analysis(results)
    #expect(analysis.warnings.contains { $0.contains("1 run failed") })
    #expect(analysis.warnings.contains { $0.contains("1 run of 45 has not finished, so this report covers only part") })
    #expect(analysis.completed.allSatisfy { $0.id != results.runs[3].id })
  }

  @Test func trainingLossFarFromZeroIsWarnedOf() throws {
    var results = Synthetic(diverges: false).results()
    #expect(try Analysis(results).warnings.isEmpty)
    results.runs[0].finalTrainLoss = 0.7
    #expect(try Analysis(results).warnings.contains { $0.contains("training loss above 0.1 nats (up to 0.7)") })
  }

  @Test func axesThatDifferInPunctuationKeepApart() throws {
    var results = Synthetic().results()
    results.axes = ["a.b", "a_b"]
    for index in results.runs.indices {
      results.runs[index].settings = [
        Setting(key: "a.b", value: "\(results.runs[index].learningRate)"),
        Setting(key: "a_b", value: "\(results.runs[index].batchSize)"),
      ]
    }
    let names = try Report(results).figureNames
    #expect(Set(names).count == names.count)
  }

  @Test func sameResultsGiveSameBytes() throws {
    func bytes() throws -> [String] {
      try Report(Synthetic().results()).figures.map { $0.document(.file).compact + $0.table.csv() }
    }
    #expect(try bytes() == bytes())
  }

  @Test func ticksLieInTheDomain() {
    #expect(logTicks([1e-4, 1.5]) == [1e-4, 1e-3, 1e-2, 1e-1, 1])
    #expect(logTicks([0.9, 2.2]) == [1, 2])
    #expect(logTicks([0, 1]).isEmpty)
  }
}
