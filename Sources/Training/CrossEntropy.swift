import Networks
import Torch

/// The training loss: the mean over labels of −Σ q log softmax(x), in nats. The target q is 1 − s + s / classes at the
/// label and s / classes elsewhere, where s is the label smoothing. PyTorch's `CrossEntropyLoss`.
public struct CrossEntropy: Codable, Hashable, Sendable {
  /// s, 0 ≤ s ≤ 1
  public var labelSmoothing: Double

  /// The loss with label smoothing s, or the plain cross-entropy.
  public init(labelSmoothing: Double = 0) { self.labelSmoothing = labelSmoothing }

  /// The mean over all labels, a float32 tensor without dimensions: for logits [n, classes] and labels [n], or logits
  /// [n, context, vocabulary] and labels [n, context].
  ///
  /// - Throws: `TorchError` for shapes that do not fit and labels that are no class.
  public func callAsFunction(_ logits: Tensor, _ labels: Tensor) throws -> Tensor {
    try logits.to(.float32).flatten(from: 0, to: -2).crossEntropy(labels.flatten(), labelSmoothing: labelSmoothing)
  }

  /// The same for a network's logits of `inputs`, by the network's own shortcut if it has one.
  func callAsFunction(of network: any Module, _ inputs: Tensor, _ labels: Tensor, _ mode: Mode) throws -> Tensor {
    guard let network = network as? any LossNetwork else { return try self(network(inputs, mode), labels) }
    return try network.meanCrossEntropy(inputs, labels: labels, labelSmoothing: labelSmoothing, mode)
  }

  /// −log softmax(x)[label] for every label without smoothing, of the labels' shape.
  static func ofEach(_ logits: Tensor, _ labels: Tensor) throws -> Tensor {
    try logits.to(.float32).flatten(from: 0, to: -2).crossEntropy(labels.flatten(), reduction: .none)
      .view(labels.shape)
  }
}
