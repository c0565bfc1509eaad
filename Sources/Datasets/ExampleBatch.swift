import Torch

/// Examples and their labels as a network takes them: pictures with a class each, or sequences of tokens with the token that follows
/// each of theirs.
public struct ExampleBatch: Sendable {
  /// Pictures [n, channels, height, width], float32, normalised, channels innermost in memory (`MemoryFormat.channelsLast`); or tokens
  /// [n, context], int64.
  public let inputs: Tensor
  /// Classes [n], or the tokens that follow [n, context]; int64.
  public let labels: Tensor

  public init(inputs: Tensor, labels: Tensor) {
    self.inputs = inputs
    self.labels = labels
  }
}
