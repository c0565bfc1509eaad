import Torch

/// Examples in a fixed order, for evaluation.
public protocol ExampleSource: Sendable {
  /// The number of examples.
  var count: Int { get }
  /// The number of classes, or the size of the vocabulary.
  var classes: Int { get }
  /// The device on which batches are.
  var device: Device { get }

  /// The examples of a range, in order and without augmentation.
  ///
  /// - Throws: `TorchError`, for lack of memory, say.
  func batch(_ range: Range<Int>) throws -> ExampleBatch
}

extension ExampleSource {
  /// Ranges of at most `size` examples that together cover the source, in order.
  public func ranges(ofAtMost size: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: max(1, size)).map { $0..<min($0 + max(1, size), count) }
  }
}
