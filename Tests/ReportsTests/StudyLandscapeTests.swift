import Foundation
import Landscape
import Testing

@testable import Reports
@testable import Studies

@Suite struct StudyLandscapeTests {
  /// Endpoints apart by a hill at the smallest learning rates and in a valley at the largest.
  private func study() -> StudyResults {
    var synthetic = Synthetic()
    (synthetic.batchSizes, synthetic.diverges) = ([64], false)
    var results = synthetic.results()
    for index in results.runs.indices {
      let run = results.runs[index]
      let height = -0.2 * (log10(run.learningRate) + 1.5) + 0.01 * Double(run.seed)
      let positions = [0, 0.25, 0.5, 0.75, 1]
      let losses = positions.map { 0.1 + 4 * height * $0 * (1 - $0) }
      func path(_ endpoints: [Int], _ alignment: String?) -> LandscapeRow.Path {
        .init(
          endpoints: endpoints, alignment: alignment, positions: positions,
          trainLoss: losses.map { alignment == nil ? $0 : $0 / 2 }, testLoss: losses.map { $0 + 0.5 },
          testAccuracy: losses.map { 0.9 - 0.1 * $0 })
      }
      results.runs[index].landscapes = [
        LandscapeRow(
          step: 640, epoch: 20, paths: [path([0, 1], nil), path([0, 1], "weight")],
          spectra: [
            .init(
              endpoint: 0, eigenvalues: [40 * run.learningRate + 3, 2, 1], residuals: [1e-4, 1e-3, 1e-3],
              isConverged: true, examples: 1000)
          ],
          similarities: [.init(endpoints: [0, 1], layer: "avgpool", cka: 0.9 - run.learningRate)],
          plane: PlaneMeasure(
            alphas: [-0.5, 0.5, 1.5], betas: [-0.5, 0.5, 1.5], alphaLength: 2, betaLength: 1,
            marks: [.init(name: "base", alpha: 0, beta: 0)],
            points: [1, 2, 3, 2, 0.5, 1, 4, 1, 2].map { PointMeasure(test: .init(loss: $0, accuracy: 0.5)) }))
      ]
    }
    return results
  }

  @Test func everyKindOfMeasurementHasItsFigure() throws {
    let names = try Report(study()).figureNames
    #expect(
      names.prefix(6) == [
        "training-loss-between-endpoints", "test-loss-between-endpoints", "hill-or-valley", "hessian-eigenvalues",
        "similarity", "planes",
      ])
    #expect(try !Report(Synthetic().results()).figureNames.contains("hill-or-valley"))
  }

  @Test func theMiddleIsMeasuredAgainstTheEndsAndTheTransitionNamed() throws {
    let analysis = try Analysis(study())
    let landscapes = try #require(analysis.landscapes)
    #expect(landscapes.series == ["0.003", "0.01", "0.03", "0.1", "0.3"])
    #expect(landscapes.alignments == [nil, "weight"])
    let first = try #require(landscapes.middles(landscapes.settings[0], nil) { $0.trainLoss })
    #expect(abs(first.value - (-0.2 * (log10(0.003) + 1.5) + 0.01)) < 1e-9)
    #expect(first.runs == 3 && first.interval == .seeds)
    let sentences = Conclusion(analysis: analysis).paragraphs
    #expect(sentences[0].contains("The hill turns into a valley between 0.03 and 0.1."))
    #expect(sentences.contains { $0.hasPrefix("Largest eigenvalue of the Hessian") })
    #expect(sentences.contains { $0.hasPrefix("Linear CKA") })
  }

  @Test func tablesHoldEveryNumberDrawn() throws {
    let report = try Report(study())
    let planes = try #require(report.figures.first { $0.name == "planes" })
    #expect(planes.table.rows.count == 5 * 9)
    let paths = try #require(report.figures.first { $0.name == "training-loss-between-endpoints" })
    #expect(paths.table.rows.count == 2 * 5 * 5)
  }

  @Test(.enabled(if: Renderer().isPresent, "the figure renderer is not installed"))
  func vegaDrawsEveryFigure() throws {
    let scratch = try Scratch()
    let report = try Report(study())
    try report.write(to: scratch.folder, formats: [.svg])
    for name in report.figureNames.prefix(6) {
      let picture = scratch.url("figures/\(name).svg")
      #expect(try Data(contentsOf: picture).count > 5000, "\(name)")
    }
  }
}
