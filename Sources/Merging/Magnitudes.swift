import MergeKernels

/// The order of a tensor's elements by magnitude, found by counting digits of their bits: no sorting, and no memory that grows with
/// the tensor.
struct Magnitudes {
  /// An element's magnitude (its bits without the sign), how many are smaller, and how many are as large.
  struct Place {
    var key: UInt64
    var below: Int
    var equal: Int
  }

  let kernels: UnsafePointer<VMKernels>
  let count: Int
  /// Calls the body with each chunk of the elements, in order.
  let forEachChunk: ((Vector) throws -> Void) throws -> Void

  /// The largest key there is.
  private var limit: UInt64 { kernels.pointee.width == 8 ? UInt64(Int64.max) : UInt64(Int32.max) }

  /// The elements at `ranks` (0 is the smallest; all below `count`).
  func places(_ ranks: [Int]) throws -> [Place] {
    let digits = Int(VMDigits)
    let digitBits = Int(VMDigitBits)
    var places = ranks.map { _ in Place(key: 0, below: 0, equal: count) }
    var shift = kernels.pointee.width * 8 - 1 - digitBits
    while true {
      let prefixes = Set(places.map(\.key)).sorted()
      var tables = prefixes.map { _ in [UInt64](repeating: 0, count: Int(VMCounts)) }
      try forEachChunk { chunk in
        for (index, prefix) in prefixes.enumerated() {
          kernels.pointee.countDigits(chunk.elements, prefix, Int32(shift), &tables[index], chunk.count)
        }
      }
      for (index, rank) in ranks.enumerated() {
        guard let table = prefixes.firstIndex(of: places[index].key).map({ tables[$0] }) else { continue }
        var digit = 0
        while true {
          let here = stride(from: digit, to: table.count, by: digits).reduce(0) { $0 + Int(table[$1]) }
          if rank < places[index].below + here || digit == digits - 1 {
            places[index].equal = here
            break
          }
          places[index].below += here
          digit += 1
        }
        let key = places[index].key << UInt64(digitBits) | UInt64(digit)
        places[index].key = shift < 0 ? key >> UInt64(-shift) : key
      }
      if shift <= 0 { return places }
      shift -= digitBits
    }
  }

  /// The `kept` largest elements; of equals the first.
  func largest(_ kept: Int) throws -> VMSelection {
    guard kept > 0 else { return nothing }
    guard kept < count else { return selection() }
    let place = try places([count - kept])[0]
    var selection = selection()
    (selection.lowKey, selection.lowTo) = (place.key, UInt64(kept - (count - place.below - place.equal)))
    return selection
  }

  /// The `kept` largest elements, and all that equal the last of them.
  func atLeastAsLarge(as kept: Int) throws -> VMSelection {
    guard kept > 0 else { return nothing }
    var selection = selection()
    if kept < count { selection.lowKey = try places([count - kept])[0].key }
    return selection
  }

  /// The elements of ranks `range`; of equals the first has the lower rank.
  func ranked(_ range: Range<Int>) throws -> VMSelection {
    guard !range.isEmpty else { return nothing }
    var selection = selection()
    let bounds = [range.lowerBound, range.upperBound].filter { $0 > 0 && $0 < count }
    let places = Dictionary(zip(bounds, try places(bounds)), uniquingKeysWith: { $1 })
    if let place = places[range.lowerBound] {
      (selection.lowKey, selection.lowFrom) = (place.key, UInt64(range.lowerBound - place.below))
    }
    if let place = places[range.upperBound] {
      let end = UInt64(range.upperBound - place.below)
      if place.key == selection.lowKey { selection.lowTo = end }
      (selection.highKey, selection.highTo) = (place.key, end)
    }
    return selection
  }

  private var nothing: VMSelection {
    VMSelection(
      lowKey: limit, highKey: limit, lowFrom: 0, lowTo: 0, lowSeen: 0, highFrom: 0, highTo: 0, highSeen: 0)
  }

  /// Everything.
  private func selection() -> VMSelection {
    VMSelection(
      lowKey: 0, highKey: limit, lowFrom: 0, lowTo: .max, lowSeen: 0, highFrom: 0, highTo: .max, highSeen: 0)
  }
}
