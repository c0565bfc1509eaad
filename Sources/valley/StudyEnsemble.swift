import ArgumentParser
import Foundation
import Studies
import Support
import Training

/// `valley study ensemble`: ensembles of a study's endpoints, from the predictions it kept.
struct StudyEnsemble: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ensemble",
    abstract: "Evaluate ensembles of endpoints from kept predictions, without running anything.",
    discussion: """
      An ensemble predicts the mean of its members' probabilities. Which members is chosen freely among the endpoints of a branch point;
      a run keeps predictions where its study says `predictions: true`. Gains are against the mean of the members.

      EXAMPLES
        valley study ensemble out/fig1
        valley study ensemble out/fig1 --endpoints 0,2 --json
      """)

  @Argument(help: "The study's folder, or a run's.") var folder: String
  @Option(help: "The members, by number, such as 0,2.  (default: all)") var endpoints: String?
  @Flag(help: "Print JSON.") var json = false

  struct Row: Encodable {
    var run: String
    var step: Int
    var endpoints: [Int]
    var evaluation: String?
    var accuracy, loss, singleAccuracy, singleLoss: Double
    var accuracyGain, accuracyGainError, lossGain, lossGainError: Double
  }

  func run() throws {
    let url = URL(fileURLWithPath: folder)
    let members = try members()
    let isRun = FileManager.default.fileExists(atPath: url.appendingPathComponent("run.json").path)
    let runs =
      isRun
      ? [url]
      : try {
        let study = try StudyFolder(url); return study.study.runs.map(study.folder)
      }()
    let rows = try runs.flatMap { try Self.rows($0, members) }
    if json { return try printJSON(rows) }
    guard !rows.isEmpty else {
      throw CommandError("\(folder) has no predictions; a study keeps them with `predictions: true`")
    }
    var table = TextTable([
      "run", "step", "endpoints", "test set", "accuracy", "loss", "gain pp", "± pp", "loss gain", "±",
    ])
    table.rows = rows.map { row in
      [
        row.run, "\(row.step)", row.endpoints.map(String.init).joined(separator: "+"), row.evaluation ?? "",
        String(format: "%.2f %%", row.accuracy * 100), String(format: "%.4f", row.loss),
        String(format: "%+.2f", row.accuracyGain * 100), String(format: "%.2f", row.accuracyGainError * 100),
        String(format: "%+.4f", row.lossGain), String(format: "%.4f", row.lossGainError),
      ]
    }
    print(table.text)
  }

  private func members() throws -> [Int]? {
    guard let endpoints else { return nil }
    let numbers = endpoints.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    let members = numbers.compactMap { $0 }
    guard members.count == numbers.count, Set(members).count == members.count, members.allSatisfy({ $0 >= 0 }) else {
      throw ValidationError("--endpoints is \(endpoints); expected different numbers from 0 on, such as 0,2")
    }
    return members
  }

  private static func rows(_ run: URL, _ members: [Int]?) throws -> [Row] {
    let folder = run.appendingPathComponent("predictions")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let steps = names.filter { $0.hasSuffix(".safetensors") }.compactMap { Int($0.dropLast(".safetensors".count)) }
    return try steps.sorted().flatMap { step -> [Row] in
      let path = folder.appendingPathComponent("\(step).safetensors").path
      let predictions = try Predictions(path)
      let members = members ?? predictions.endpoints
      if let missing = members.first(where: { !predictions.endpoints.contains($0) }) {
        let known = predictions.endpoints.map(String.init).joined(separator: ", ")
        throw CommandError(
          "\(path) has no probabilities of endpoint \(missing); it has \(known.isEmpty ? "none" : known)")
      }
      return try predictions.tests.compactMap { test -> Row? in
        guard let ensemble = try predictions.ensemble(members, on: test) else { return nil }
        let singles = try members.compactMap { try predictions.ensemble([$0], on: test) }
        let gain = Gain(of: ensemble, over: singles)
        func mean(_ value: (Evaluation) -> Double) -> Double { singles.map(value).reduce(0, +) / Double(singles.count) }
        return Row(
          run: run.lastPathComponent, step: step, endpoints: members, evaluation: test, accuracy: ensemble.accuracy,
          loss: ensemble.loss, singleAccuracy: mean(\.accuracy), singleLoss: mean(\.loss), accuracyGain: gain.accuracy,
          accuracyGainError: gain.accuracyError, lossGain: gain.loss, lossGainError: gain.lossError)
      }
    }
  }
}
