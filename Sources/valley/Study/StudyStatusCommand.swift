import ArgumentParser
import Foundation
import Studies
import Support

/// `valley study status`: how each run of a study stands.
struct StudyStatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show the progress of a study's runs.",
    discussion: """
      EXAMPLES
        valley study status out/demo
        valley study status out/demo --json
      """)

  @Argument(help: "The study's folder.") var folder: String
  @Flag(help: "Print JSON.") var json = false

  struct Row: Encodable {
    var id: String
    var values: [String: String]
    var seeds: RunConfiguration.Seeds
    var status: String
    var reason: String?
    var divergedAtStep: Int?
    var owner: String?
    var stepsDone, stepsTotal: Int
    var results: Int
    /// Mean accuracy gain of the merges so far, a fraction.
    var accuracyGain: Double?
    var seconds: Double
    var attempts: Int
  }

  struct Report: Encodable {
    var name, description, folder: String
    var runs: [Row]
    var undeclared: [String]
  }

  func run() throws {
    let study = try StudyFolder(URL(fileURLWithPath: folder))
    let states = try study.states(StudyIndex(study.url))
    let results = try study.results()
    let rows = zip(states, results.runs).map { Self.row($0, $1) }
    if json {
      return try printJSON(
        Report(
          name: study.study.name, description: study.study.description, folder: study.url.path, runs: rows,
          undeclared: study.undeclared))
    }
    let axes = study.study.axes.map { $0.split(separator: ".").last.map(String.init) ?? $0 }
    var table = TextTable(["run"] + axes + ["seed", "status", "steps", "results", "gain pp", "time"])
    for (state, row) in zip(states, rows) {
      let status = row.divergedAtStep.map { "diverged at \($0)" } ?? (state.wasInterrupted ? "interrupted" : row.status)
      let seed = state.run.label.split(separator: "=").last.map(String.init) ?? ""
      let gain = row.accuracyGain.map { String(format: "%+.2f", $0 * 100) } ?? ""
      let cells = [seed, status, "\(Int(state.fraction * 100)) %", "\(row.results)", gain, clock(row.seconds)]
      table.rows.append([row.id] + state.run.values.map(\.value) + cells)
    }
    print("\(Terminal.colour(study.study.name, 1))  \(study.study.description)\n\n\(table.text)\n")
    let counts = Dictionary(grouping: rows, by: \.status).mapValues(\.count).sorted { $0.key < $1.key }
    print("\(rows.count) runs: " + counts.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
    for row in rows { if let reason = row.reason { print("\(row.id) failed: \(reason)") } }
    if !study.undeclared.isEmpty {
      print("\(study.undeclared.count) run folders are ignored, since the study no longer declares them")
    }
  }

  private static func row(_ state: RunState, _ results: RunResults) -> Row {
    var (reason, diverged): (String?, Int?) = (nil, nil)
    switch state.status {
    case .failed(let text): reason = text
    case .diverged(let step): diverged = step
    case .pending, .running, .done: break
    }
    let merged = results.rows.filter { $0.kind == .merged && $0.evaluation == nil }
    let middle = merged.filter { $0.alpha == 0.5 }
    let gains = (middle.isEmpty ? merged : middle).compactMap(\.accuracyGain)
    return Row(
      id: state.run.id, values: Dictionary(state.run.values.map { ($0.key, $0.value) }) { first, _ in first },
      seeds: state.run.configuration.seeds, status: state.status.name, reason: reason, divergedAtStep: diverged,
      owner: state.owner?.description, stepsDone: state.record?.stepsDone ?? 0,
      stepsTotal: state.record?.stepsTotal ?? state.run.configuration.steps().total, results: state.resultCount,
      accuracyGain: gains.isEmpty ? nil : gains.reduce(0, +) / Double(gains.count), seconds: state.record?.seconds ?? 0,
      attempts: state.record?.attempts ?? 0)
  }
}
