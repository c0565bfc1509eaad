import Checkpoints
import Foundation
import Torch

/// Where a training process stands: all that is needed to go on to the same bits as without a stop, data order and augmentation being
/// functions of their seeds and the step.
public struct TrainingState: Sendable {
  /// Parameters and buffers.
  public var weights: Weights
  /// SGD's velocity for each trainable parameter, by its name; empty without momentum.
  public var velocity: Weights
  /// Updates made so far.
  public var step: Int

  public init(weights: Weights, velocity: Weights = Weights(), step: Int = 0) {
    self.weights = weights
    self.velocity = velocity
    self.step = step
  }

  /// Writes the state with `metadata` beside it, all at once or not at all.
  public func write(to path: String, metadata: [String: String] = [:]) throws {
    let tensors =
      zip(weights.names, weights.tensors).map { ("weights/" + $0, $1) }
      + zip(velocity.names, velocity.tensors).map { ("velocity/" + $0, $1) }
    try Safetensors.write(
      Weights(tensors), metadata: metadata.merging(["step": String(step)]) { $1 }, to: path)
  }

  /// Reads what `write` wrote.
  public static func read(_ path: String) throws -> (state: TrainingState, metadata: [String: String]) {
    let content = try Safetensors.read(path)
    guard let step = content.metadata["step"].flatMap(Int.init), step >= 0 else {
      throw CheckpointError(path, "is no training state: its metadata has no step")
    }
    func part(_ prefix: String) -> Weights {
      Weights(
        zip(content.weights.names, content.weights.tensors).compactMap { name, tensor in
          name.hasPrefix(prefix) ? (String(name.dropFirst(prefix.count)), tensor) : nil
        })
    }
    return (TrainingState(weights: part("weights/"), velocity: part("velocity/"), step: step), content.metadata)
  }
}
