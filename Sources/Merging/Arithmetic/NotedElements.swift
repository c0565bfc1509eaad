import MergeKernels

/// Which elements of a tensor are kept, a bit for each, none at first: what one pass finds out, the next need not find
/// out again.
final class NotedElements {
  private let bits: UnsafeMutablePointer<UInt8>
  private let group: Int

  /// - Parameter group: that of the passes, whose chunks must be the same
  init(count: Int, group: Int = 1) {
    self.group = group
    let length = Chunks.length(of: group)
    let byteCount = (count / length + 1) * ((length + 7) / 8)
    bits = .allocate(capacity: byteCount)
    bits.initialize(repeating: 0, count: byteCount)
  }

  deinit { bits.deallocate() }

  /// Every chunk starts a byte of its own.
  private func place(_ range: Range<Int>) -> UnsafeMutablePointer<UInt8> {
    let length = Chunks.length(of: group)
    return bits + range.lowerBound / length * ((length + 7) / 8)
  }

  /// Keeps those of the chunk that are not 0.
  func note(_ elements: Vector, _ range: Range<Int>) {
    elements.kernels.pointee.note(elements.elements, place(range), range.count)
  }

  /// Multiplies those kept by the factor, and sets the others to 0.
  func keep(_ elements: Vector, _ range: Range<Int>, scale: Double = 1) {
    elements.kernels.pointee.keepNoted(elements.elements, place(range), scale, range.count)
  }

  /// Keeps the elements of a chunk that rank and chance choose, as `Sparsification.ranked` says. None of them is kept
  /// yet.
  ///
  /// - Parameters:
  ///   - length: how many elements are ranked together
  ///   - step: how far apart these lie
  func noteRanked(
    _ elements: Vector, _ range: Range<Int>, from lowest: Double, to highest: Double, length: Int, step: Int,
    key: UInt64, scratch: Vector
  ) {
    for start in stride(from: 0, to: elements.count, by: max(1, length * step)) {
      for offset in start..<start + step {
        elements.kernels.pointee.noteRanked(
          elements[offset..<elements.count].elements, lowest, highest, key, UInt64(range.lowerBound + offset), length,
          step, place(range), offset, scratch.elements)
      }
    }
  }

  /// Σ |x| over all elements of the chunk, and over those kept.
  func absoluteSums(_ elements: Vector, _ range: Range<Int>) -> (all: Double, kept: Double) {
    var (all, kept) = (0.0, 0.0)
    elements.kernels.pointee.absoluteSums(elements.elements, place(range), &all, &kept, range.count)
    return (all, kept)
  }

  /// Σ x² over the elements kept of the chunk.
  func squares(_ elements: Vector, _ range: Range<Int>) -> Double {
    elements.kernels.pointee.squaresNoted(elements.elements, place(range), range.count)
  }

  /// Keeps the elements of the chunk that lie above the bracket; `open` gets the places of those that lie within it.
  ///
  /// - Returns: how many are open
  func split(
    _ elements: Vector, _ range: Range<Int>, by bracket: inout VMBracket, open: UnsafeMutablePointer<UInt32>
  ) -> Int {
    elements.kernels.pointee.split(
      elements.elements, &bracket, place(range), open, UInt32(range.lowerBound), range.count)
  }

  /// Keeps the places of the tensor whose elements are not 0; the others stay as they were. Only where chunks are whole
  /// bytes.
  func mark(_ elements: Vector, at places: UnsafePointer<UInt32>) {
    elements.kernels.pointee.mark(elements.elements, places, bits, elements.count)
  }
}
