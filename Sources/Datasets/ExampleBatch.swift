import Torch

/// Examples and their labels as a network takes them: pictures with a class each, or sequences of tokens with, for each
/// token, the one that follows.
public struct ExampleBatch: Sendable {
  /// Pictures [n, channels, height, width], float32, normalised, with channels innermost in memory
  /// (`MemoryFormat.channelsLast`), or tokens [n, context], int64.
  public let inputs: Tensor
  /// Classes [n], or the tokens that follow, [n, context]; int64.
  public let labels: Tensor

  /// Examples with their labels, on one device.
  public init(inputs: Tensor, labels: Tensor) {
    self.inputs = inputs
    self.labels = labels
  }
}
