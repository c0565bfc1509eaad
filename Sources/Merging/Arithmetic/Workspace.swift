import MergeKernels

/// A thread's working memory, kept from tensor to tensor.
///
/// Each slot is one area of memory. Asking for a slot again ends the use of the vector that had it: debug builds stop
/// where the old one is still used, so that no two vectors share memory unnoticed.
final class Workspace {
  /// What a vector is for.
  enum Slot: Hashable { case base, result, difference, score, order, sample, inside(Int), model(Int) }

  let isCancelled: @Sendable () -> Bool
  private var areas: [Slot: UnsafeMutableRawBufferPointer] = [:]
  private var leases: [Slot: Vector.Lease] = [:]
  private let single = Vector.kernels(wide: false)
  private let double = Vector.kernels(wide: true)

  init(isCancelled: @escaping @Sendable () -> Bool = { false }) { self.isCancelled = isCancelled }

  func kernels(wide: Bool) -> UnsafePointer<VMKernels> { wide ? double : single }

  /// Room for `count` elements in the slot, uninitialised or as they were left.
  func vector(_ slot: Slot, _ count: Int, _ kernels: UnsafePointer<VMKernels>) -> Vector {
    let elements = memory(slot, bytes: max(1, count) * kernels.pointee.width)
    var lease: Vector.Lease?
    #if DEBUG
      leases[slot]?.isOver = true
      lease = Vector.Lease()
      leases[slot] = lease
    #endif
    return Vector(elements: elements, count: count, kernels: kernels, lease: lease)
  }

  private func memory(_ slot: Slot, bytes: Int) -> UnsafeMutableRawPointer {
    if let area = areas[slot], let address = area.baseAddress, area.count >= bytes { return address }
    areas[slot]?.deallocate()
    let area = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 64)
    areas[slot] = area
    return area.baseAddress.unsafelyUnwrapped
  }

  deinit { for area in areas.values { area.deallocate() } }
}
