import Foundation
import TestSupport
import Testing

@testable import Reports
@testable import Studies

typealias Scratch = TestSupport.Scratch

@Suite struct PageTests {
  static let hostile = "</script><img src=x onerror=\"window.broken = 1\"><!-- & '"

  /// Results in which every text that a user can choose is hostile.
  static func hostileResults() -> StudyResults {
    var results = Synthetic(other: (hostile, [hostile, "b", "c"])).results()
    results.name = hostile
    results.description = hostile
    results.settings = [Setting(key: hostile, value: hostile), Setting(key: "dataset", value: hostile)]
    results.runs[0].id = hostile
    results.runs[1].status = .failed(reason: hostile)
    return results
  }

  @Test func namesCannotBreakOutOfThePage() throws {
    let report = try Report(Self.hostileResults())
    let bundle = "/* bundle */ const end = \"</script>\", expression = /<\\/a/;"
    let html = report.page(formats: [.svg]).html(bundle: bundle)
    #expect(!html.contains("<img"))
    #expect(!html.contains("<!--"))
    #expect(html.contains("&lt;/script&gt;&lt;img src=x onerror=&quot;"))
    // The script elements of the page itself and no more: one for each figure, the bundle, and the page's own.
    #expect(html.components(separatedBy: "</script").count - 1 == report.figures.count + 2)
    #expect(html.contains("const end = \"<\\/script>\", expression = /<\\/a/;"))
  }

  @Test func thePageNeedsNothingFromElsewhere() throws {
    let report = try Report(Synthetic().results())
    let html = report.page(formats: [.svg]).html(bundle: "")
    for attribute in ["src=", "<link", "@import", "url("] { #expect(!html.contains(attribute), "\(attribute)") }
    // The one address is the name of Vega-Lite's schema, which nothing fetches.
    let addresses = html.components(separatedBy: "https://").dropFirst()
    #expect(addresses.allSatisfy { $0.hasPrefix("vega.github.io/schema/") })
  }

  @Test func withoutARendererTablesAndSummaryAreWritten() throws {
    let scratch = try Scratch()
    let renderer = Renderer(environment: ["VALLEY_RENDERER": "/nowhere/python"])
    let report = try Report(Synthetic().results())
    let error = #expect(throws: ReportError.self) {
      try report.write(to: scratch.folder, formats: [.svg], renderer: renderer)
    }
    #expect(error?.description.contains("make bootstrap") == true)
    let files = try Set(FileManager.default.contentsOfDirectory(atPath: scratch.folder.path))
    #expect(files == ["figures", "report.json", "runs.csv"])
    let data = try Data(contentsOf: scratch.url("report.json"))
    let summary = try JSONDecoder().decode(Summary.self, from: data)
    #expect(summary.maxima.count == 2)
    #expect(summary.configurations.count == 15)
    let csv = scratch.url("figures/accuracy-gain-against-effective-noise.csv")
    #expect(try String(contentsOf: csv, encoding: .utf8).hasPrefix("series,x,gain,lower,upper,runs,interval"))
  }

  @Test func theRendererIsLookedForWhereBootstrapPutsIt() {
    let ours = "/valley/renderer/current/bin/python"
    #expect(Renderer(environment: ["HOME": "/h"]).python.path == "/h/.cache" + ours)
    #expect(Renderer(environment: ["HOME": "/h", "XDG_CACHE_HOME": "/c"]).python.path == "/c" + ours)
    #expect(Renderer(environment: ["VALLEY_RENDERER": "/p/python"]).python.path == "/p/python")
  }

  @Test func conclusionsSayWhatWasFound() throws {
    func headline(_ synthetic: Synthetic) throws -> String {
      Conclusion(analysis: try Analysis(synthetic.results())).headline
    }
    let few = Synthetic(batchSizes: [64], seeds: [0, 1, 2, 3, 4], scatter: 0.03, diverges: false)
    var peak = few
    peak.gain = { 0.6 * exp(-pow(($0 + 2.3) / 0.5, 2)) }
    let largest = "The gain from merging is largest at"
    #expect(try headline(peak).hasPrefix("\(largest) an intermediate level of noise (significant in "))
    var rising = few
    rising.gain = { 0.3 * ($0 + 4) }
    #expect(try headline(rising).hasPrefix("No interior maximum: \(largest.lowercased()) the highest noise"))
    var falling = few
    falling.gain = { -0.3 * $0 }
    #expect(try headline(falling).hasPrefix("No interior maximum: \(largest.lowercased()) the lowest noise"))
    var single = few
    single.seeds = [0]
    #expect(try headline(single).hasPrefix("Too few runs"))
  }
}
