import Torch

/// The elements of one input's tensor as they are stored, in memory or in a mapped file.
struct TensorSource: @unchecked Sendable {
  // Unchecked: the bytes are only read, and nobody else writes them while a merge runs.
  private let bytes: UnsafeRawPointer?
  let tensor: Tensor
  let dtype: DType
  let shape: [Int]
  let count: Int

  /// - Throws: `TorchError` where a tensor cannot be brought to main memory.
  init(_ tensor: Tensor) throws {
    self.tensor = try tensor.detach().to(.cpu).contiguous()
    bytes = try self.tensor.withUnsafeBytes { $0.baseAddress }
    (dtype, shape, count) = (self.tensor.dtype, self.tensor.shape, self.tensor.count)
  }

  /// Where element `index` lies.
  func address(of index: Int) -> UnsafeRawPointer? { bytes.map { $0 + index * dtype.byteCount } }
}
