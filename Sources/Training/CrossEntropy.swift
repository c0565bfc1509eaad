import Torch

extension Tensor {
  /// −log softmax(x)[label] of every label, in nats, in float32: logits [n, classes] and labels [n], or logits
  /// [n, context, vocabulary] and labels [n, context]. The result has the labels' shape.
  func crossEntropies(_ labels: Tensor) throws -> Tensor {
    try to(.float32).flatten(from: 0, to: -2).crossEntropy(labels.flatten(), reduction: .none).view(labels.shape)
  }

  /// The mean of `crossEntropies` over all labels.
  func meanCrossEntropy(_ labels: Tensor) throws -> Tensor {
    try to(.float32).flatten(from: 0, to: -2).crossEntropy(labels.flatten())
  }
}
