import Torch

/// The elements of one input's tensor as they are stored, in memory or in a mapped file. A class, so that taking
/// one out of an array, as every chunk does, counts one reference and not one for each property.
final class TensorSource: @unchecked Sendable {
  // Unchecked: the bytes are only read, and nobody else writes them while a merge runs.
  private let bytes: UnsafeRawPointer?
  let tensor: Tensor
  let dtype: DType
  let shape: [Int]
  let count: Int

  /// Where the rows lie, if they do not follow one another; zeros without an address.
  private let rows: [Row]?
  /// What the rows lie in.
  private let owners: [TensorSource]

  struct Row {
    var address: UnsafeRawPointer?
    var dtype: DType
  }

  /// - Throws: `TorchError` where a tensor cannot be brought to main memory.
  init(_ tensor: Tensor) throws {
    // What is mapped from a file is taken as it is, so that libtorch need not be loaded.
    let isPlain = tensor.device.isCPU && tensor.isContiguous() && !tensor.requiresGradient
    self.tensor = isPlain ? tensor : try tensor.detach().to(.cpu).contiguous()
    bytes = try self.tensor.withUnsafeBytes { $0.baseAddress }
    (dtype, shape, count) = (self.tensor.dtype, self.tensor.shape, self.tensor.count)
    (rows, owners) = (nil, [])
  }

  /// A matrix (or vector) of rows of others. `dtype` is what it counts as.
  init(rows: [Row], of owners: [TensorSource], tensor: Tensor, dtype: DType) {
    (self.rows, self.owners, self.tensor, self.dtype) = (rows, owners, tensor, dtype)
    shape = [rows.count] + tensor.shape.dropFirst()
    (bytes, count) = (nil, shape.reduce(1, *))
  }

  /// Brings the elements at `range` to working precision.
  func load(_ range: Range<Int>, into target: Vector) {
    guard let rows else {
      if let address = address(of: range.lowerBound) { target.load(address, dtype.rawValue) }
      return
    }
    let width = max(1, count / max(1, rows.count))
    var start = range.lowerBound
    while start < range.upperBound {
      let (row, column) = (rows[start / width], start % width)
      let end = min(range.upperBound, start - column + width)
      let part = target[start - range.lowerBound..<end - range.lowerBound]
      if let address = row.address {
        part.load(address + column * row.dtype.byteCount, row.dtype.rawValue)
      } else {
        part.clear()
      }
      start = end
    }
  }

  /// Where element `index` lies, and all others after it, if they follow one another.
  func address(of index: Int) -> UnsafeRawPointer? { bytes.map { $0 + index * dtype.byteCount } }
}
