import Foundation
import Studies

/// Which merges stand for a run when its gain is one number.
///
/// A run's gain is the mean over its pairwise merges with the chosen method and α, on the run's own test set, at the
/// chosen trunk checkpoints. The default, the later half of the checkpoints, is fixed beforehand: early in training the
/// networks are still improving fast, and what the learning rate and batch size leave behind is not yet there; a single
/// last checkpoint would waste most merges.
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
  /// The merge coefficient; where the study has not this one, the nearest it has.
  public var alpha: Double
  /// The merge method; where the study has not this one, another that it has.
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

  /// The selection with method and α replaced by what occurs in `runs`: the first method in alphabetical order where
  /// the chosen one does not, and the nearest α.
  func resolved(for runs: [RunResults]) -> MergeSelection {
    let rows = runs.flatMap(\.rows).filter { Self.isGain($0, of: nil) }
    let methods = Set(rows.map(\.mergeMethod))
    let method = methods.contains(self.method) ? self.method : methods.min() ?? self.method
    let alphas = Set(rows.filter { $0.mergeMethod == method }.compactMap(\.alpha))
    let nearest = alphas.min { (abs($0 - alpha), $0) < (abs($1 - alpha), $1) }
    return MergeSelection(checkpoints: checkpoints, alpha: nearest ?? alpha, method: method)
  }

  /// The merges of a run with this method and α on one test set (nil: the run's own), over all checkpoints: pairs where
  /// there are pairs, otherwise merges of more.
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

  /// Of these rows of one run those at the chosen checkpoints.
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

  /// "α = 0.5", with the method where it is not the usual one.
  var words: String {
    method == MergeChoice.Method.usual.name
      ? "α = \(short(alpha))" : "\(methodTitle(method)), α = \(short(alpha))"
  }
}

extension ResultRow {
  /// The method of a merge; files of before there were others do not name it.
  var mergeMethod: String { method ?? MergeChoice.Method.usual.name }
  /// Whether this is of a run with tasks.
  var isAcrossTasks: Bool { learningRates != nil || normalisedAccuracy != nil }
}

extension [ResultRow] {
  /// Merges of two where there are any, otherwise all.
  var pairs: [ResultRow] {
    let pairs = filter { $0.endpoints.count == 2 }
    return pairs.isEmpty ? self : pairs
  }
}
