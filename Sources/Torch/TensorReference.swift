import CTorch
import Foundation
import Synchronization

/// Elements in row-major order in memory that `owner` keeps alive.
final class BorrowedElements {
  let bytes: UnsafeRawBufferPointer
  let dtype: DType
  let shape: [Int]
  private let owner: AnyObject

  init(bytes: UnsafeRawBufferPointer, dtype: DType, shape: [Int], owner: AnyObject) {
    (self.bytes, self.dtype, self.shape, self.owner) = (bytes, dtype, shape, owner)
  }

  /// A tensor of libtorch over the elements, which it keeps alive.
  fileprivate func tensor() throws -> VTTensor {
    let context = Unmanaged.passRetained(self)
    var result: VTTensor?
    let error = shape.map(Int64.init).withUnsafeBufferPointer { sizes in
      libtorch.tensor_from_memory(
        bytes.baseAddress, dtype.rawValue, sizes.baseAddress, sizes.count,
        { context in if let context { Unmanaged<BorrowedElements>.fromOpaque(context).release() } },
        context.toOpaque(), &result)
    }
    if error != nil { context.release() }
    try check(error, "Tensor")
    guard let result else { throw TorchError(operation: "Tensor", message: "no tensor was made") }
    return result
  }
}

/// One reference to a tensor of libtorch. For borrowed elements it is made when it is first needed, so that files can
/// be listed and merged without libtorch.
final class TensorReference: @unchecked Sendable {
  private let made: Atomic<VTTensor?>
  private let borrowed: BorrowedElements?

  init(owning handle: VTTensor) {
    made = Atomic(handle)
    borrowed = nil
  }

  init(borrowing elements: BorrowedElements) {
    made = Atomic(nil)
    borrowed = elements
  }

  deinit {
    if let handle = made.load(ordering: .acquiring) { libtorch.tensor_release(handle) }
  }

  /// What the tensor will be made of, until it is made.
  var unmade: BorrowedElements? {
    guard let borrowed, made.load(ordering: .acquiring) == nil else { return nil }
    return borrowed
  }

  var handle: VTTensor { made.load(ordering: .acquiring) ?? make() }

  @inline(never)
  private func make() -> VTTensor {
    do {
      guard let handle = try borrowed?.tensor() else {
        throw TorchError(operation: "Tensor", message: "there are no elements")
      }
      let (isFirst, other) = made.compareExchange(
        expected: nil, desired: handle, ordering: .acquiringAndReleasing)
      if !isFirst { libtorch.tensor_release(handle) }
      return other ?? handle
    } catch {
      // The shape has been checked, so memory must have run out.
      Library.end(error)
    }
  }
}
