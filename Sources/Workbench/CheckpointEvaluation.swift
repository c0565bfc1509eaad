import Checkpoints
import Datasets
import Foundation
import Landscape
import Networks
import Studies
import Training

/// How well a network with the weights of a file does on a dataset.
///
///     let found = try CheckpointEvaluation(of: "merged.safetensors", from: RunSource(run: "out/first"))
///     print(found.splits[0].accuracy)
public struct CheckpointEvaluation: Encodable, Sendable {
  /// How it does on one split.
  public struct Row: Encodable, Sendable {
    /// The examples it was evaluated on
    public var split: Split
    /// How many they are
    public var examples: Int
    /// Accuracy as a fraction, mean cross-entropy in nats
    public var accuracy, loss: Double
    /// For text: e to the loss
    public var perplexity: Double?
  }

  /// The file's path.
  public var weights: String
  /// Names of the network and of the dataset
  public var model, dataset: String
  /// Whether BatchNorm's statistics were re-estimated.
  public var reestimatedBatchNorm: Bool
  /// A row for each requested split.
  public var splits: [Row]

  /// Evaluates weights. Pictures are normalised by the training set's statistics and not augmented.
  ///
  /// - Parameters:
  ///   - path: a file or folder as `Checkpoint.read` takes it
  ///   - source: which network and data; not needed for a checkpoint that lies in a run's folder
  ///   - policy: the training examples on which to re-estimate BatchNorm statistics first; `off` for none
  ///   - report: hears what was renamed or replaced
  /// - Throws: `WorkbenchError`, and what reading files and data throws.
  public init(
    of path: String, from source: RunSource = RunSource(), splits: [Split] = [.test],
    reestimateBatchNorm policy: BatchNormPolicy = .off, report: News.Listener = { _ in }
  ) throws {
    // The file is looked at first, since reading data may take long.
    let file = try Checkpoint.read(path)
    let configuration = try source.configuration(for: path, usesBatches: policy != .off)
    let run = try PreparedRun(configuration)
    let network = try run.makeNetwork()
    try configuration.load(file, into: network, on: run.device, report: report)
    if policy != .off {
      guard network.hasBatchNorm else {
        throw WorkbenchError(
          "`reestimateBatchNorm`: \(configuration.model.name.rawValue) has no BatchNorm statistics to re-estimate"
        )
      }
      try reestimateBatchNorm(of: network, on: run.batches(), examples: policy.examples)
    }
    weights = path
    (model, dataset) = (configuration.model.name.rawValue, configuration.dataset.name.rawValue)
    reestimatedBatchNorm = policy != .off
    self.splits = try splits.map { split in
      let found = try Evaluation(network, on: split == .train ? run.train : run.test)
      return Row(
        split: split, examples: found.losses.count, accuracy: found.accuracy, loss: found.loss,
        perplexity: configuration.dataset.name.isText ? exp(found.loss) : nil)
    }
  }
}

extension BatchNormPolicy {
  /// How many examples statistics are re-estimated on; nil: all.
  var examples: Int? {
    if case .subset(let examples) = self { examples } else { nil }
  }
}
