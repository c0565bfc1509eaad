import MergeKernels

/// The way through a tensor's elements: a chunk at a time, in one thread's working memory.
struct Chunks {
  let count: Int
  /// Kernels of the working type.
  let kernels: UnsafePointer<VMKernels>
  let workspace: Workspace

  /// How many elements are worked on at once: few enough that a chunk of every input stays in the processor's cache.
  static let length = 1 << 14

  /// How many elements a chunk of whole groups has, unless it is the last.
  static func length(of group: Int) -> Int { max(group, length / max(1, group) * group) }

  /// Room for `count` elements, until the slot is asked for again.
  func vector(_ slot: Workspace.Slot, _ count: Int) -> Vector { workspace.vector(slot, count, kernels) }

  /// Calls `body` for each chunk in order; a chunk holds whole groups of `group` elements.
  ///
  /// - Throws: what `body` throws, and `CancellationError` once the merge is to end.
  func forEach(of group: Int = 1, _ body: (Range<Int>) throws -> Void) throws {
    let length = Self.length(of: group)
    var start = 0
    while start < count {
      try checkCancellation()
      let end = min(count, start + length)
      try body(start..<end)
      start = end
    }
  }

  /// - Throws: `CancellationError` once the merge is to end.
  func checkCancellation() throws {
    if workspace.isCancelled() { throw CancellationError() }
  }
}
