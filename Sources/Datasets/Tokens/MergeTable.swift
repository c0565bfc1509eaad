import HeapModule

/// Which pairs of tokens merge, in which order, and into what.
struct MergeTable: Sendable {
  /// A merge. Pairs of lower rank merge first.
  struct Merge: Sendable {
    var rank: Int32
    var id: Int32
  }

  private struct Slot: Sendable {
    var pair: UInt64 = .max
    var merge = Merge(rank: 0, id: 0)
  }

  private var slots: [Slot]
  private let mask: Int
  private(set) var count = 0

  init(capacity: Int) {
    var size = 16
    while size < 2 * capacity { size *= 2 }
    slots = [Slot](repeating: Slot(), count: size)
    mask = size - 1
  }

  @inline(__always)
  static func pair(_ first: Int32, _ second: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: first)) << 32 | UInt64(UInt32(bitPattern: second))
  }

  /// Adds a merge, which replaces one of the same pair. At most `capacity` can be added.
  mutating func insert(_ first: Int32, _ second: Int32, _ merge: Merge) {
    let pair = Self.pair(first, second)
    var place = Self.hash(pair) & mask
    while slots[place].pair != .max, slots[place].pair != pair { place = (place + 1) & mask }
    if slots[place].pair == .max { count += 1 }
    slots[place] = Slot(pair: pair, merge: merge)
  }

  @inline(__always)
  subscript(_ first: Int32, _ second: Int32) -> Merge? {
    let pair = Self.pair(first, second)
    return slots.withUnsafeBufferPointer { slots in
      var place = Self.hash(pair) & mask
      while slots[place].pair != pair {
        if slots[place].pair == .max { return nil }
        place = (place + 1) & mask
      }
      return slots[place].merge
    }
  }

  @inline(__always)
  private static func hash(_ pair: UInt64) -> Int {
    Int(truncatingIfNeeded: (pair &* 0x9E37_79B9_7F4A_7C15) >> 33)
  }

  /// Makes all merges in the tokens of one word: again and again the pair of the lowest rank, and of equal ones the
  /// first.
  func apply(to tokens: inout [Int32]) {
    if tokens.count > 200 { return applyInQueue(to: &tokens) }
    while tokens.count > 1 {
      var best = Merge(rank: .max, id: 0)
      var place = -1
      for index in 0..<(tokens.count - 1) {
        if let merge = self[tokens[index], tokens[index + 1]], merge.rank < best.rank {
          best = merge
          place = index
        }
      }
      guard place >= 0 else { return }
      tokens[place] = best.id
      tokens.remove(at: place + 1)
    }
  }

  private struct Candidate: Comparable {
    var merge: Merge
    var place: Int
    var pair: UInt64
    static func < (a: Candidate, b: Candidate) -> Bool { (a.merge.rank, a.place) < (b.merge.rank, b.place) }
    static func == (a: Candidate, b: Candidate) -> Bool { (a.merge.rank, a.place) == (b.merge.rank, b.place) }
  }

  /// The same in time n log n, for words that are long on purpose.
  private func applyInQueue(to tokens: inout [Int32]) {
    let count = tokens.count
    var next = Array(1...count)
    var previous = Array(-1..<(count - 1))
    var queue = Heap<Candidate>()
    func consider(_ place: Int) {
      guard place >= 0, next[place] < count, let merge = self[tokens[place], tokens[next[place]]] else { return }
      queue.insert(
        Candidate(merge: merge, place: place, pair: Self.pair(tokens[place], tokens[next[place]])))
    }
    for place in 0..<(count - 1) { consider(place) }
    while let candidate = queue.popMin() {
      let (place, second) = (candidate.place, next[candidate.place])
      // A token that was merged into another is −1. One that has changed makes another pair.
      guard tokens[place] >= 0, second < count, Self.pair(tokens[place], tokens[second]) == candidate.pair else {
        continue
      }
      tokens[place] = candidate.merge.id
      tokens[second] = -1
      next[place] = next[second]
      if next[place] < count { previous[next[place]] = place }
      consider(place)
      consider(previous[place])
    }
    tokens.removeAll { $0 < 0 }
  }
}
