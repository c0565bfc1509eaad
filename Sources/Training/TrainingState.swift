import Checkpoints
import Foundation
import Support
import Torch
import Weights

/// Everything that a training process needs to continue as if it had not stopped, to the same bits. The order of the
/// data and the augmentation are functions of their seeds and the step.
public struct TrainingState: Sendable {
  /// Parameters and buffers.
  public var weights: Weights
  /// What the optimizer remembers about each trained parameter. For SGD that is `velocity/<parameter>`, nothing without
  /// momentum; for AdamW `exp_avg/<parameter>` and `exp_avg_sq/<parameter>`, and the number of updates, `updates`.
  /// Empty: nothing yet.
  public var slots: Weights
  /// Updates made so far.
  public var step: Int

  /// The state after `step` updates.
  public init(weights: Weights, slots: Weights = Weights(), step: Int = 0) {
    self.weights = weights
    self.slots = slots
    self.step = step
  }

  /// Writes the state to a safetensors file, all at once or not at all. Weights are named `weights/<parameter>`, and
  /// the step stands in the metadata.
  ///
  /// - Parameters:
  ///   - path: the file, which is replaced
  ///   - metadata: text to keep with it, by key
  /// - Throws: `FileError` when it cannot be written.
  public func write(to path: String, metadata: [String: String] = [:]) throws {
    let tensors =
      weights.map { ("weights/" + $0, $1) }
      + slots
    try Safetensors.write(
      Weights(tensors), metadata: metadata.merging(["step": String(step)]) { $1 }, to: path)
  }

  /// Reads a file that `write` has written.
  ///
  /// - Throws: `FileError` when it cannot be read, is damaged or is no training state.
  public static func read(_ path: String) throws -> (state: TrainingState, metadata: [String: String]) {
    let content = try Safetensors.read(path)
    guard let step = content.metadata["step"].flatMap(Int.init), step >= 0 else {
      throw FileError(path, "is not a training state: its metadata has no step")
    }
    let prefix = "weights/"
    let tensors = content.weights
    let weights = tensors.filter { $0.name.hasPrefix(prefix) }.map {
      (String($0.name.dropFirst(prefix.count)), $0.tensor)
    }
    let slots = tensors.filter { !$0.name.hasPrefix(prefix) }
    return (TrainingState(weights: Weights(weights), slots: slots, step: step), content.metadata)
  }
}
