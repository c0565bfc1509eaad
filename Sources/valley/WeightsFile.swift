import Checkpoints
import Torch

/// A safetensors file with the weights of a network, or with the training state around them.
struct WeightsFile {
  let path: String
  let weights: Weights
  let metadata: [String: String]

  /// - Throws: `CheckpointError` naming the file and what is wrong with it.
  init(_ path: String) throws {
    let content = try Safetensors.read(path)
    self.path = path
    metadata = content.metadata
    let prefix = "weights/"
    let isState = content.weights.names.allSatisfy { $0.hasPrefix(prefix) || $0.hasPrefix("velocity/") }
    weights =
      isState
      ? Weights(
        content.weights.filter { name, _ in name.hasPrefix(prefix) }.renamed { String($0.dropFirst(prefix.count)) })
      : content.weights
    guard !weights.isEmpty else { throw CheckpointError(path, "holds no weights") }
  }
}

extension Weights {
  /// The tensors under other names.
  fileprivate func renamed(_ rename: (String) -> String) -> [(String, Tensor)] {
    zip(names, tensors).map { (rename($0), $1) }
  }
}
