import Support
import Torch

extension MappedFile {
  /// A tensor over a range of the bytes; a copy only where they are not aligned to the type.
  func tensor(_ range: Range<Int>, dtype: DType, shape: [Int]) throws -> Tensor {
    let part = UnsafeRawBufferPointer(rebasing: bytes[range])
    let isAligned = Int(bitPattern: part.baseAddress) % dtype.byteCount == 0
    return isAligned && !part.isEmpty
      ? try Tensor(borrowing: part, dtype: dtype, shape: shape, owner: self)
      : try Tensor(copying: part, dtype: dtype, shape: shape)
  }
}
