/// Numbers different words in the order of their first appearance: a hash table over one array of bytes, so that
/// looking up a word allocates nothing.
struct WordTable {
  private struct Slot {
    var hash: UInt32 = 0
    /// −1: empty
    var index: Int32 = -1
  }

  private var slots = [Slot](repeating: Slot(), count: 1 << 12)
  private var bytes: [UInt8] = []
  /// Where each word starts in `bytes`, and the end of the last.
  private var starts = [0]

  /// The number of different words.
  var count: Int { starts.count - 1 }

  /// The bytes of a word.
  subscript(index: Int) -> ArraySlice<UInt8> { bytes[starts[index]..<starts[index + 1]] }

  /// The number of `word`. It is nil, and `isNew` true, for a new word when the table already has `limit` words.
  @inline(__always)
  mutating func index(of word: UnsafeBufferPointer<UInt8>, limit: Int = Int(Int32.max)) -> (index: Int?, isNew: Bool) {
    let hash = Self.hash(word)
    let mask = slots.count - 1
    var place = Int(hash) & mask
    while true {
      let slot = slots[place]
      if slot.index < 0 { break }
      if slot.hash == hash, isEqual(Int(slot.index), word) { return (Int(slot.index), false) }
      place = (place + 1) & mask
    }
    guard count < limit else { return (nil, true) }
    return (insert(word, hash, at: place), true)
  }

  @inline(never)
  private mutating func insert(_ word: UnsafeBufferPointer<UInt8>, _ hash: UInt32, at place: Int) -> Int {
    let index = count
    bytes.append(contentsOf: word)
    starts.append(bytes.count)
    slots[place] = Slot(hash: hash, index: Int32(index))
    if 2 * count > slots.count { grow() }
    return index
  }

  private mutating func grow() {
    let former = slots
    slots = [Slot](repeating: Slot(), count: 4 * former.count)
    let mask = slots.count - 1
    for slot in former where slot.index >= 0 {
      var place = Int(slot.hash) & mask
      while slots[place].index >= 0 { place = (place + 1) & mask }
      slots[place] = slot
    }
  }

  @inline(__always)
  private func isEqual(_ index: Int, _ word: UnsafeBufferPointer<UInt8>) -> Bool {
    let start = starts[index]
    guard starts[index + 1] - start == word.count else { return false }
    return bytes.withUnsafeBufferPointer { bytes in
      for offset in 0..<word.count where bytes[start + offset] != word[offset] { return false }
      return true
    }
  }

  /// Eight bytes at a time, multiplied and folded.
  @inline(__always)
  private static func hash(_ word: UnsafeBufferPointer<UInt8>) -> UInt32 {
    let raw = UnsafeRawBufferPointer(word)
    var state = UInt64(word.count) &* 0x9E37_79B9_7F4A_7C15
    var offset = 0
    while offset < raw.count {
      var part: UInt64 = 0
      if offset + 8 <= raw.count {
        part = raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      } else {
        for index in offset..<raw.count { part = part << 8 | UInt64(raw[index]) }
      }
      state = (state ^ part) &* 0xD6E8_FEB8_6659_FD93
      state ^= state >> 32
      offset += 8
    }
    return UInt32(truncatingIfNeeded: state ^ (state >> 29))
  }
}
