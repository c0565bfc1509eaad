import Torch

/// Examples in a fixed order: what evaluation walks over.
public protocol ExampleSource: Sendable {
  var count: Int { get }
  /// Classes of pictures, or the size of the vocabulary.
  var classes: Int { get }
  /// Where batches lie.
  var device: Device { get }

  /// The examples of a range, in order and unchanged.
  func batch(_ range: Range<Int>) throws -> ExampleBatch
}

extension ExampleSource {
  /// Ranges of at most `size` examples that cover the source.
  public func ranges(ofAtMost size: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: max(1, size)).map { $0..<min($0 + max(1, size), count) }
  }
}
