import ArgumentParser
import Foundation
import Support
import Workbench

/// `valley study ensemble`: ensembles of a study's endpoints, from the predictions it kept.
struct StudyEnsembleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ensemble",
    abstract: "Evaluate ensembles of endpoints from kept predictions, without running anything.",
    discussion: """
      An ensemble predicts the mean of its members' probabilities. Its members can be any endpoints of one branch \
      point; a run keeps predictions if its study says `predictions: true`. Gains are relative to the mean of the \
      members.

      EXAMPLES
        valley study ensemble out/fig1
        valley study ensemble out/fig1 --endpoints 0,2 --json
      """)

  @Argument(help: "The study's folder, or a run's.") var folder: String
  @Option(help: "The members, by number, such as 0,2.  (default: all)") var endpoints: String?
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let rows = try EnsembleGain.all(in: URL(fileURLWithPath: folder), members: members())
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
}
