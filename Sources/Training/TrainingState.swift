import Checkpoints
import Foundation
import Support
import Torch
import Weights

/// Where a training process stands: all that is needed to go on to the same bits as without a stop, data order and augmentation being
/// functions of their seeds and the step.
public struct TrainingState: Sendable {
  /// Parameters and buffers.
  public var weights: Weights
  /// What the optimizer remembers of each trained parameter: SGD's `velocity/<parameter>`, none without momentum; AdamW's
  /// `exp_avg/<parameter>` and `exp_avg_sq/<parameter>`, with the number of updates, `updates`. Empty: nothing yet.
  public var slots: Weights
  /// Updates made so far.
  public var step: Int

  public init(weights: Weights, slots: Weights = Weights(), step: Int = 0) {
    self.weights = weights
    self.slots = slots
    self.step = step
  }

  /// Writes the state with `metadata` beside it, all at once or not at all.
  public func write(to path: String, metadata: [String: String] = [:]) throws {
    let tensors =
      weights.map { ("weights/" + $0, $1) }
      + slots
    try Safetensors.write(
      Weights(tensors), metadata: metadata.merging(["step": String(step)]) { $1 }, to: path)
  }

  /// Reads what `write` wrote.
  public static func read(_ path: String) throws -> (state: TrainingState, metadata: [String: String]) {
    let content = try Safetensors.read(path)
    guard let step = content.metadata["step"].flatMap(Int.init), step >= 0 else {
      throw CheckpointError(path, "is no training state: its metadata has no step")
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
