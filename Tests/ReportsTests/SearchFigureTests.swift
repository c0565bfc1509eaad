import Foundation
import Testing

@testable import Reports

@Suite struct SearchFigureTests {
  private static func figure(_ metric: SearchFigure.Metric) -> SearchFigure {
    SearchFigure(
      ranges: ["a weight", "method"],
      candidates: [
        .init(value: 0.5, values: ["0.1", "ties"]), .init(value: nil, values: ["0.9", "linear"]),
        .init(value: 0.7, values: ["0.3", "linear"]), .init(value: 0.6, values: ["0.2", "ties"]),
      ], metric: metric, setting: "mlp on glyphs")
  }

  @Test func bestSoFarRisesWithAccuracyAndFallsWithLoss() {
    let figure = Self.figure(.accuracy)
    #expect(figure.table.rows.map { $0[2] } == [.number(0.5), .number(0.5), .number(0.7), .number(0.7)])
    #expect(figure.table.columns == ["evaluation", "accuracy", "best", "a weight", "method"])
    #expect(figure.caption.contains("1 candidate"))
    #expect(Self.figure(.loss).table.rows.map { $0[2] } == [.number(0.5), .number(0.5), .number(0.5), .number(0.5)])
  }

  @Test(.enabled(if: Renderer().isPresent, "without the figure renderer")) func vegaDrawsIt() throws {
    let scratch = try Scratch()
    try Self.figure(.accuracy).write(to: scratch.folder, formats: [.svg])
    let picture = try String(contentsOf: scratch.url("search.svg"), encoding: .utf8)
    #expect(picture.contains("best so far") && picture.contains("a weight"))
  }
}
