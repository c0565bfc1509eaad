import Foundation
import Testing

@testable import Reports

@Suite struct FigureIndexTests {
  private static let entries = [
    FigureIndex.Entry(figure: "6", study: "fig6", title: "Transfer | CLIP", scales: ["smoke", "paper"]),
    FigureIndex.Entry(figure: "8", study: "fig8", title: "Tasks", scales: ["smoke"]),
  ]

  @Test func studiesThatWereRunSayWhatTheyGave() throws {
    let scratch = try Scratch()
    let own = scratch.url("fig6-smoke")
    try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
    try Report(SyntheticProtocols.transfer()).summary.json().write(to: own.appendingPathComponent("report.json"))
    try Data("The trend appeared.\n".utf8).write(to: own.appendingPathComponent("trend.md"))
    let text = try FigureIndex(entries: Self.entries, results: scratch.folder).markdown()
    let lines = text.split(separator: "\n").map(String.init)
    #expect(
      lines[2] == "| 6 | fig6 | Transfer \\| CLIP | `valley study run fig6 --scale smoke` | "
        + "[measured at scale smoke](results/fig6-smoke): 5 done |")
    #expect(lines[3] == "| 8 | fig8 | Tasks | `valley study run fig8 --scale smoke` | not run here |")
    #expect(text.contains("### Figure 6: fig6 at scale smoke\n\nThe report's finding: The gain from merging grows"))
    #expect(text.contains("\n\nThe trend appeared.\n"))
    #expect(!text.contains("README"))
  }

  @Test func aDamagedReportIsNamed() throws {
    let scratch = try Scratch()
    let own = scratch.url("fig8")
    try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
    try Data("{".utf8).write(to: own.appendingPathComponent("report.json"))
    let error = #expect(throws: ReportError.self) {
      try FigureIndex(entries: Self.entries, results: scratch.folder).markdown()
    }
    #expect(error?.description.contains("fig8/report.json: is not what `valley report` writes") == true)
  }

  @Test func withoutResultsThereIsTheTableAlone() throws {
    let scratch = try Scratch()
    let text = try FigureIndex(entries: Self.entries, results: scratch.folder).markdown()
    #expect(text.split(separator: "\n").count == 4)
  }
}
