import Torch

/// Zeroes each element with `probability` in training and scales the others to keep the mean; does nothing in the other
/// modes. Input and output of any shape.
///
/// The draws come from the generator given, one after the other.
public struct Dropout: RandomModule {
  /// That an element is zeroed.
  public let probability: Double
  /// Draws what is dropped.
  public let generator: Generator

  /// - Throws: `TorchError` unless `probability` is at least 0 and below 1.
  public init(_ probability: Double, generator: Generator) throws {
    guard probability >= 0, probability < 1 else {
      throw TorchError(operation: "Dropout", message: "a probability of \(probability); expected 0 or more and below 1")
    }
    self.probability = probability
    self.generator = generator
  }

  /// The input; in training, without the elements zeroed.
  public func forward(_ input: Tensor, _ mode: Mode) throws -> Tensor {
    guard mode == .training, probability > 0 else { return input }
    // Drawn where the generator lives, so that every device drops the same elements.
    let isKept = try Tensor.uniform(input.shape, generator: generator).greaterOrEqual(probability)
    return try input * isKept.to(input.device).to(input.dtype) * (1 / (1 - probability))
  }
}
