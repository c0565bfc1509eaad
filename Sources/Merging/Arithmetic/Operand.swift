import Torch

/// One tensor that a merge takes: stored in memory or in a file, with an adapter's change, merged before, or with its
/// rows rearranged.
protocol Operand: Sendable {
  var shape: [Int] { get }
  var dtype: DType { get }
  /// Bytes that are read.
  var inputByteCount: Int { get }
  /// Bytes of memory that it takes to have the elements, besides what is stored.
  var workingByteCount: Int { get }

  /// The elements, in memory or in a mapped file.
  ///
  /// - Parameter isCancelled: asked now and then where the elements have to be computed
  /// - Throws: what computing them throws, `CancellationError` among it.
  func source(isCancelled: @escaping @Sendable () -> Bool) throws -> TensorSource
}

/// A tensor in memory, which is opened when it is needed: one on a GPU is then copied to main memory.
extension Tensor: Operand {
  var inputByteCount: Int { count * dtype.byteCount }
  var workingByteCount: Int { 0 }

  func source(isCancelled: @escaping @Sendable () -> Bool) throws -> TensorSource { try TensorSource(self) }
}

extension TensorSource: Operand {
  var inputByteCount: Int { count * dtype.byteCount }
  var workingByteCount: Int { 0 }

  func source(isCancelled: @escaping @Sendable () -> Bool) -> TensorSource { self }
}

extension DType {
  /// Whether the kernels read and write it; tensors of other types can only be copied.
  var canBeMerged: Bool {
    [.uint8, .int8, .int16, .int32, .int64, .float16, .float32, .float64, .bool, .bfloat16].contains(self)
  }

  /// Whether float32 would lose something of the elements.
  var needsDouble: Bool { self == .float64 || !isFloatingPoint }
}
