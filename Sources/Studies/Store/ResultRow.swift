/// One measurement of a run: a network evaluated on the whole of one test set.
///
/// `results.jsonl` of a run folder holds one row per line. For sequences (language) the unit of measurement is a
/// sequence: its loss is the mean over its tokens, its accuracy the fraction of next tokens that are right.
public struct ResultRow: Codable, Hashable, Sendable {
  /// What is evaluated.
  public enum Kind: String, Codable, CaseIterable, Sendable {
    /// a decayed endpoint
    case single
    /// a merge of endpoints
    case merged
    /// the mean of the probabilities that `endpoints` predict
    case ensemble
    /// the trunk at the branch point, from which task vectors start: every merge at α = 0
    case base
  }

  /// What is evaluated.
  public var kind: Kind
  /// Trunk epochs (stable phase, warmup included) after which the endpoints branched.
  public var epoch: Double
  /// The same in optimizer steps.
  public var step: Int
  /// The endpoint of a single (one index), those that were merged, or those of the ensemble; empty for the base.
  public var endpoints: [Int]
  /// The test set: nil is the run's own, otherwise the name of an entry of `evaluate`, or of a task.
  public var evaluation: String?
  /// The task that a single was trained on, in a run with tasks.
  public var task: String?
  /// The peak learning rates of `endpoints`, in a run with tasks.
  public var learningRates: [Double]?
  /// The merge method, such as `linear`; nil for everything but merges.
  public var method: String?
  /// The merge coefficient α: of `linear` the part of the second endpoint; of methods on task vectors every vector's
  /// weight, or their λ. 0 for the base, nil for singles and ensembles.
  public var alpha: Double?
  /// What became of the BatchNorm statistics: `average` or `reestimate`; nil without BatchNorm.
  public var batchNorm: String?
  /// Test accuracy as a fraction, 0…1.
  public var testAccuracy: Double
  /// Mean test cross-entropy in nats.
  public var testLoss: Double
  /// Singles: mean cross-entropy on the training set without augmentation, after the decay.
  public var trainLoss: Double?
  /// Singles: accuracy on the training set without augmentation, after the decay; a fraction.
  public var trainAccuracy: Double?
  /// Euclidean norm of all parameters; of an ensemble the mean of its endpoints'.
  public var weightNorm: Double
  /// Merges and ensembles: mean test accuracy of their endpoints; a fraction.
  public var singleAccuracy: Double?
  /// Merges and ensembles: mean test loss of their endpoints.
  public var singleLoss: Double?
  /// Merges and ensembles: test accuracy less the mean of its singles; a fraction, higher is better.
  public var accuracyGain: Double?
  /// Standard error of `accuracyGain` over test examples, paired; a fraction.
  public var accuracyGainError: Double?
  /// Merges and ensembles: test loss less the mean of its singles; nats, lower is better.
  public var lossGain: Double?
  /// Standard error of `lossGain` over test examples, paired; nats.
  public var lossGainError: Double?
  /// Merges of tasks: the mean over the tasks of accuracy(merged) / accuracy(the task's single). Such a row is about
  /// all tasks at once: `evaluation` is nil, accuracy and loss are means over the tasks.
  public var normalisedAccuracy: Double?
}

extension ResultRow {
  /// What `results.jsonl` calls its fields, in the order of tables.
  static let columns = [
    "kind", "epoch", "step", "endpoints", "evaluation", "task", "learningRates", "method", "alpha", "batchNorm",
    "testAccuracy", "testLoss", "trainLoss", "trainAccuracy", "weightNorm", "singleAccuracy", "singleLoss",
    "accuracyGain", "accuracyGainError", "lossGain", "lossGainError", "normalisedAccuracy",
  ]

  /// What was evaluated, such as `endpoint 0`, `merge 0+1 α=0.5`, `ties 0+1 α=0.4 on ood`.
  public var title: String {
    let parts = endpoints.map(String.init).joined(separator: "+")
    let name =
      switch kind {
      case .single: "endpoint \(parts)" + (task.map { " of \($0)" } ?? "")
      case .merged:
        "\(method.flatMap { $0 == MergeChoice.Method.usual.name ? nil : $0 } ?? "merge") \(parts) "
          + "α=\(alpha ?? .nan)"
      case .ensemble: "ensemble \(parts)"
      case .base: "base"
      }
    return name + (evaluation.map { " on \($0)" } ?? "")
  }
}
