/// Which elements of a tensor are kept, a bit for each: what is found out in one pass need not be found out again in the next.
final class NotedElements {
  private let bits: UnsafeMutablePointer<UInt8>
  private let group: Int

  /// - Parameter group: as in the passes, whose chunks have to be the same.
  init(count: Int, group: Int = 1) {
    self.group = group
    let length = MergeInputs.chunkLength(of: group)
    bits = .allocate(capacity: (count / length + 1) * ((length + 7) / 8))
  }

  deinit { bits.deallocate() }

  /// Every chunk starts a byte of its own.
  private func place(_ range: Range<Int>) -> UnsafeMutablePointer<UInt8> {
    let length = MergeInputs.chunkLength(of: group)
    return bits + range.lowerBound / length * ((length + 7) / 8)
  }

  /// Keeps those of the chunk that are not 0.
  func note(_ elements: Vector, _ range: Range<Int>) {
    elements.kernels.pointee.note(elements.elements, place(range), range.count)
  }

  /// Sets the others to 0.
  func keep(_ elements: Vector, _ range: Range<Int>) {
    elements.kernels.pointee.keepNoted(elements.elements, place(range), range.count)
  }
}
