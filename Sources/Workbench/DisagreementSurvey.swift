import Checkpoints
import Foundation
import Landscape
import Merging

/// How the predictions of networks differ, and how the plain mean of their weights compares with the ensemble of
/// their probabilities.
///
///     let bench = try Bench(["a.safetensors", "b.safetensors", "c.safetensors"], from: source)
///     let found = try DisagreementSurvey().measure(bench).disagreement
///     for difference in found.differences { print(difference.of, difference.from, difference.accuracy) }
public struct DisagreementSurvey: Hashable, Sendable {
  /// Whether to compare with the mean of the weights, too.
  public var hasMerge: Bool

  /// By default, with the mean of the weights.
  public init(hasMerge: Bool = true) { self.hasMerge = hasMerge }

  /// How much the networks disagree.
  public struct Found: Encodable, Sendable {
    /// Scores, pairs and differences
    public var disagreement: Disagreement
  }

  /// Checks the settings, without reading a file.
  /// - Throws: `WorkbenchError` for the first problem.
  public func check(weights count: Int) throws {
    guard count >= 2 else { throw WorkbenchError("there is \(count) network; two or more can disagree") }
  }

  /// Compares a bench's points.
  ///
  /// - Parameter folder: keeps every batch, so that an interrupted measurement can continue; nil keeps nothing
  /// - Throws: `WorkbenchError`, `LandscapeError`, `FolderLock.Held` where another process measures into the folder,
  ///   `TorchError`.
  public func measure(
    _ bench: Bench, keptIn folder: URL? = nil, report: @escaping News.Listener = { _ in }
  ) throws -> Measured<Found> {
    try check(weights: bench.points.count)
    let (examples, words) = try bench.examples(usual: .test)
    let placer = try bench.placer()
    let points = bench.points.map(\.weights)
    let share = 1 / Double(points.count)
    let merged = hasMerge ? try linearMerge(points, coefficients: points.map { _ in share }) : nil
    let placed = try bench.placed(points + (merged.map { [$0] } ?? []), by: placer)
    let store = try bench.store(folder, placer, report: report)
    let key = try "disagreement \(points.map { try $0.fingerprint() }) \(hasMerge)"
    let found = try Disagreement(
      of: Array(zip(labels(bench.points.map(\.name)), placed)), merge: hasMerge ? placed.last : nil, bench.network,
      on: examples, batchSize: examples.batchSize, progress: { report(.progress("example", $0, of: examples.count)) }
    ) { range, measure in
      try store("\(key) \(range)", measure)
    }
    return bench.measured(Found(disagreement: found), words, placer)
  }

  /// The names, numbered if a file is given more than once.
  private func labels(_ names: [String]) -> [String] {
    Set(names).count == names.count ? names : names.enumerated().map { "\($0.offset + 1): \($0.element)" }
  }
}
