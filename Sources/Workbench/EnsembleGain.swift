import Foundation
import Studies
import Training

/// What an ensemble of endpoints gains over the mean of its members, from predictions that runs kept.
///
///     for gain in try EnsembleGain.all(in: URL(fileURLWithPath: "out/fig1")) { print(gain.run, gain.accuracyGain) }
public struct EnsembleGain: Encodable, Sendable {
  /// The run's id
  public var run: String
  /// The branch point, in optimizer steps of the trunk
  public var step: Int
  /// The members, by number
  public var endpoints: [Int]
  /// A further test set; nil for the run's own
  public var evaluation: String?
  /// Of the ensemble, which predicts the mean of its members' probabilities, and the mean of its members': accuracies
  /// as fractions, losses in nats
  public var accuracy, loss, singleAccuracy, singleLoss: Double
  /// Differences of these, with their standard errors over test examples
  public var accuracyGain, accuracyGainError, lossGain, lossGainError: Double

  /// The gains of one ensemble at each branch point and on each test set.
  ///
  /// - Parameters:
  ///   - folder: a study's or a run's; the result is empty if it kept no predictions
  ///   - members: endpoints by number; nil for all of a branch point
  /// - Throws: `WorkbenchError` for a member whose predictions were not kept, and what reading the folder throws.
  public static func all(in folder: URL, members: [Int]? = nil) throws -> [EnsembleGain] {
    guard members?.isEmpty != true else { throw WorkbenchError("an ensemble without members predicts nothing") }
    let isRun = FileManager.default.fileExists(atPath: folder.appendingPathComponent("run.json").path)
    guard !isRun else { return try gains(ofRun: folder, members) }
    let study = try StudyFolder(folder)
    return try study.study.runs.flatMap { try gains(ofRun: study.folder(of: $0), members) }
  }

  private static func gains(ofRun run: URL, _ members: [Int]?) throws -> [EnsembleGain] {
    let folder = run.appendingPathComponent("predictions")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let steps = names.filter { $0.hasSuffix(".safetensors") }.compactMap { Int($0.dropLast(".safetensors".count)) }
    return try steps.sorted().flatMap { step -> [EnsembleGain] in
      let path = folder.appendingPathComponent("\(step).safetensors").path
      let predictions = try Predictions(path)
      let members = members ?? predictions.endpoints
      if let missing = members.first(where: { !predictions.endpoints.contains($0) }) {
        let known = predictions.endpoints.map(String.init).joined(separator: ", ")
        throw WorkbenchError(
          "\(path) has no probabilities of endpoint \(missing); it has \(known.isEmpty ? "none" : known)")
      }
      return try predictions.tests.compactMap { test in
        guard let ensemble = try predictions.ensemble(members, on: test) else { return nil }
        let singles = try members.compactMap { try predictions.ensemble([$0], on: test) }
        let gain = Gain(of: ensemble, over: singles)
        func mean(_ value: (Evaluation) -> Double) -> Double { singles.map(value).reduce(0, +) / Double(singles.count) }
        return EnsembleGain(
          run: run.lastPathComponent, step: step, endpoints: members, evaluation: test, accuracy: ensemble.accuracy,
          loss: ensemble.loss, singleAccuracy: mean(\.accuracy), singleLoss: mean(\.loss), accuracyGain: gain.accuracy,
          accuracyGainError: gain.accuracyError, lossGain: gain.loss, lossGainError: gain.lossError)
      }
    }
  }
}
