import Foundation
import Support
import Testing

@testable import Reports
@testable import Studies

/// These need the Python that `make bootstrap` sets up, and the last ones a headless Chromium.
@Suite(.enabled(if: Renderer().isPresent, "no figure renderer: run `make bootstrap`"))
struct RendererTests {
  static let browser = ["chromium-headless-shell", "chromium", "chrome-headless-shell"]
    .flatMap { name in ["/usr/bin", "/usr/local/bin", "/snap/bin"].map { "\($0)/\(name)" } }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  @Test func everyFigureIsDrawnInEveryFormat() throws {
    let scratch = try Scratch()
    let report = try Report(Synthetic().results())
    try report.write(to: scratch.folder)
    let figures = scratch.url("figures")
    func read(_ name: String, _ format: String) throws -> Data {
      try Data(contentsOf: figures.appendingPathComponent("\(name).\(format)"))
    }
    for name in report.figureNames {
      #expect(try read(name, "png").starts(with: [0x89, 0x50, 0x4E, 0x47]))
      #expect(try read(name, "pdf").starts(with: Data("%PDF".utf8)))
      #expect(String(decoding: try read(name, "svg"), as: UTF8.self).contains("</svg>"))
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: scratch.folder.path)
    #expect(Set(left) == ["figures", "report.html", "report.json", "runs.csv"])
  }

  @Test(
    arguments: [
      SyntheticProtocols.transfer(methods: ["linear", "task_arithmetic", "ties"]),
      SyntheticProtocols.tasks(rates: [1e-6, 1e-5, 1e-4]), SyntheticProtocols.language(),
    ])
  func figuresOfEveryProtocolAreDrawn(results: StudyResults) throws {
    let scratch = try Scratch()
    let report = try Report(results)
    try report.write(to: scratch.folder, formats: [.svg])
    for name in report.figureNames {
      let picture = scratch.url("figures/\(name).svg")
      let text = try String(contentsOf: picture, encoding: .utf8)
      #expect(text.contains("</svg>"))
      #expect(!text.contains("NaN") && !text.contains("undefined"), "\(name)")
    }
  }

  @Test func onlyTheFormatsAskedForAreWritten() throws {
    let scratch = try Scratch()
    try Report(Synthetic(learningRates: [0.1], batchSizes: [64]).results()).write(to: scratch.folder, formats: [.svg])
    let files = try FileManager.default.contentsOfDirectory(atPath: scratch.url("figures").path)
    #expect(
      Set(files.map { $0.split(separator: ".", maxSplits: 1).last.map(String.init) }) == ["csv", "svg", "vl.json"])
  }

  @Test(
    arguments: [
      // A spec that Vega-Lite refuses, and one in which Vega fails while it runs but draws all the same.
      ["mark": "no such mark"],
      ["mark": "point", "data": ["values": [["a": 1]]], "transform": [["calculate": "datum.b.c", "as": "d"]]],
    ] as [JSON])
  func anErrorInAFigureNamesIt(spec: JSON) throws {
    let scratch = try Scratch()
    let good: JSON = ["data": ["values": [[:]]], "mark": "point"]
    let error = #expect(throws: ReportError.self) {
      try Renderer().render(["bad": spec, "good": good], formats: [.svg], scratch: scratch.folder)
    }
    guard case .figureFailed(let name, let message) = error else {
      Issue.record("unexpected \(String(describing: error))")
      return
    }
    #expect(name == "bad")
    #expect(!message.isEmpty)
  }

  @Test func aRendererThatStopsIsReported() throws {
    let scratch = try Scratch()
    let renderer = Renderer(environment: ["VALLEY_RENDERER": "/bin/false"])
    #expect(throws: ReportError.rendererFailed(status: 1, message: "")) {
      try renderer.render([:], formats: [.svg], scratch: scratch.folder)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.folder.path).isEmpty)
  }

  @Test(
    .enabled(if: browser != nil, "no chromium-headless-shell: apt-get install chromium-headless-shell"),
    arguments: [false, true])
  func thePageDrawsItsFiguresInABrowser(hostile: Bool) throws {
    let results = hostile ? PageTests.hostileResults() : Synthetic().results()
    let scratch = try Scratch()
    let report = try Report(results)
    let page = try report.write(to: scratch.folder, formats: [.svg])
    let (dom, log) = try Self.dump(page, in: scratch.folder)
    #expect(dom.components(separatedBy: "class=\"marks\"").count - 1 == report.figures.count)
    #expect(dom.contains("<pre id=\"script-errors\" role=\"alert\" hidden=\"\"></pre>"))
    for word in ["Uncaught", "ERROR:CONSOLE", "Refused to"] { #expect(!log.contains(word), "\(word)") }
  }

  /// The document after its scripts have run, and what the console said.
  private static func dump(_ page: URL, in folder: URL) throws -> (dom: String, log: String) {
    let (out, err) = (folder.appendingPathComponent("dom"), folder.appendingPathComponent("log"))
    try Data().write(to: out)
    try Data().write(to: err)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: browser ?? "")
    process.arguments = [
      "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--window-size=1300,2000",
      "--virtual-time-budget=20000", "--user-data-dir=\(folder.path)/profile", "--dump-dom", page.absoluteString,
    ]
    process.standardOutput = try FileHandle(forWritingTo: out)
    process.standardError = try FileHandle(forWritingTo: err)
    try process.run()
    process.waitUntilExit()
    return (try String(contentsOf: out, encoding: .utf8), try String(contentsOf: err, encoding: .utf8))
  }
}
