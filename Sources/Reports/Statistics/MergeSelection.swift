import Foundation
import Studies

/// Which merges stand for a run when its gain is one number.
///
/// A run's gain is the mean over its pairwise merges with the chosen method and α, on the run's own test set, at the
/// chosen trunk checkpoints. The default, the later half of the checkpoints, is fixed beforehand: early in training the
/// networks still improve fast, and the effect of learning rate and batch size has not built up; a single last
/// checkpoint would waste most merges.
public struct MergeSelection: Codable, Hashable, Sendable {
  /// Which trunk checkpoints count.
  public enum Checkpoints: String, Codable, CaseIterable, Sendable {
    case all
    /// Of n branching points the last ⌈n/2⌉.
    case laterHalf = "later-half"
    case last

    var words: String {
      switch self {
      case .all: "all trunk checkpoints"
      case .laterHalf: "the later half of the trunk checkpoints"
      case .last: "the last trunk checkpoint"
      }
    }
  }

  /// The trunk checkpoints that a run's gain is averaged over.
  public var checkpoints: Checkpoints
  /// The merge coefficient; if the study lacks this one, its nearest.
  public var alpha: Double
  /// The merge method; if the study lacks this one, its first in alphabetical order.
  public var method: String

  /// A selection, by default the plain mean of two networks.
  public init(
    checkpoints: Checkpoints = .laterHalf, alpha: Double = 0.5,
    method: String = MergeChoice.Method.usual.name
  ) {
    self.checkpoints = checkpoints
    self.alpha = alpha
    self.method = method
  }

  /// The selection with a method and an α that occur in `runs`.
  func resolved(for runs: [RunResults]) -> MergeSelection {
    let rows = runs.flatMap(\.rows).filter { Self.isGain($0, of: nil) }
    let methods = Set(rows.map(\.mergeMethod))
    let method = methods.contains(self.method) ? self.method : methods.min() ?? self.method
    let alphas = Set(rows.filter { $0.mergeMethod == method }.compactMap(\.alpha))
    let nearest = alphas.min { (abs($0 - alpha), $0) < (abs($1 - alpha), $1) }
    return MergeSelection(checkpoints: checkpoints, alpha: nearest ?? alpha, method: method)
  }

  /// The merges of a run with this method and α on one test set (nil: the run's own), at all checkpoints: pairs if
  /// there are any, otherwise merges of more networks.
  func merges(_ run: RunResults, on evaluation: String? = nil) -> [ResultRow] {
    run.rows.filter { row in
      Self.isGain(row, of: evaluation) && row.mergeMethod == method
        && row.alpha.map { abs($0 - alpha) < 1e-9 } ?? true
    }.pairs
  }

  /// Those of `merges` at the chosen checkpoints.
  func chosen(_ run: RunResults, on evaluation: String? = nil) -> [ResultRow] {
    atCheckpoints(merges(run, on: evaluation))
  }

  /// The rows at the chosen checkpoints, among rows of one run.
  func atCheckpoints(_ rows: [ResultRow]) -> [ResultRow] {
    let steps = Set(rows.map(\.step)).sorted()
    let kept: Set<Int> =
      switch checkpoints {
      case .all: Set(steps)
      case .laterHalf: Set(steps.suffix((steps.count + 1) / 2))
      case .last: Set(steps.suffix(1))
      }
    return rows.filter { kept.contains($0.step) }
  }

  /// Whether a row is a merge of networks of one task on this test set. Merges across tasks have no gain: they are
  /// compared with singles that each know one task.
  private static func isGain(_ row: ResultRow, of evaluation: String?) -> Bool {
    row.kind == .merged && row.evaluation == evaluation && !row.isAcrossTasks
  }

  /// "α = 0.5", with the method if it is not the usual one.
  var words: String {
    method == MergeChoice.Method.usual.name
      ? "α = \(short(alpha))" : "\(methodTitle(method)), α = \(short(alpha))"
  }
}

extension ResultRow {
  /// The method of a merge; files from before there were others do not name it.
  var mergeMethod: String { method ?? MergeChoice.Method.usual.name }
  /// Whether this belongs to a run with tasks.
  var isAcrossTasks: Bool { learningRates != nil || normalisedAccuracy != nil }
}

extension [ResultRow] {
  /// Merges of two networks if there are any, otherwise all.
  var pairs: [ResultRow] {
    let pairs = filter { $0.endpoints.count == 2 }
    return pairs.isEmpty ? self : pairs
  }
}
