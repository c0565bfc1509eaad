import MergeKernels

/// The order of a tensor's elements by magnitude, found without sorting and only as far as it is asked for.
struct Magnitudes {
  /// An element's magnitude (its bits without the sign), how many are smaller, and how many are as large.
  struct Place {
    var key: UInt64
    var below: Int
    var equal: Int
  }

  private let chunks: Chunks
  private let group: Int
  private let elements: (Range<Int>) throws -> Vector

  /// - Parameters:
  ///   - group: elements are asked for in whole groups of this many
  ///   - elements: the elements at a range, in working precision
  init(_ chunks: Chunks, group: Int = 1, elements: @escaping (Range<Int>) throws -> Vector) {
    (self.chunks, self.group, self.elements) = (chunks, group, elements)
  }

  private var count: Int { chunks.count }
  private var kernels: UnsafePointer<VMKernels> { chunks.kernels }

  /// The largest key there is.
  private static func limit(_ kernels: UnsafePointer<VMKernels>) -> UInt64 {
    kernels.pointee.width == 8 ? UInt64(Int64.max) : UInt64(Int32.max)
  }

  private var limit: UInt64 { Self.limit(kernels) }

  /// The elements at ranks (0 is the smallest; all below `count`).
  func places(_ ranks: [Int]) throws -> [Place] { try places { _ in ranks } }

  /// The elements at the ranks that follow from how many elements are 0.
  ///
  /// A sample tells between which magnitudes each of them almost certainly lies. One pass counts what lies below and
  /// gathers what lies between, and the element is found among that. Where luck fails, or half the tensor is one value,
  /// digits are counted.
  func places(_ ranks: (_ zeros: Int) -> [Int]) throws -> [Place] {
    guard count > 4 * Self.sampleSize else { return try countedPlaces(ranks) }
    let sample = try sample()
    let zeros = sample.count - kernels.pointee.nonzero(sample.elements, sample.count)
    let scale = Double(count) / Double(sample.count)
    var brackets = try ranks(Int(Double(zeros) * scale)).map { try bracket(sample, Double($0) / scale) }
    for index in brackets.indices {
      let room = count / 8 + Chunks.length
      brackets[index].inside = chunks.vector(.inside(index), room).elements
      brackets[index].room = room
    }
    try chunks.forEach(of: group) { range in
      let chunk = try elements(range)
      for index in brackets.indices { kernels.pointee.bracket(chunk.elements, &brackets[index], chunk.count) }
    }
    guard let first = brackets.first else { return [] }
    let found = try zip(ranks(Int(first.zero)), brackets).map { try place($0, $1) }
    let known = found.compactMap { $0 }
    return known.count == found.count ? known : try countedPlaces(ranks)
  }

  /// Notes the largest elements, the `part` of those that are not 0 (of equals the first), and adds up x² over these
  /// for each of the vectors beside them.
  ///
  /// As with `places`, a sample tells about where the boundary lies. A single pass notes what is certainly above it,
  /// adds that up, and gathers what lies near the boundary, to decide on it at the end.
  ///
  /// - Parameter beside: the vectors at a range, for which `elements` has just been asked
  /// - Returns: nil where the tensor is too small, or luck fails; `beside` has then been asked for in vain
  func noteLargest(part: Double, beside: (Range<Int>) throws -> [Vector]) throws -> (NotedElements, [Double])? {
    guard count > 4 * Self.sampleSize, count <= UInt32.max else { return nil }
    let sample = try sample()
    let zeros = sample.count - kernels.pointee.nonzero(sample.elements, sample.count)
    var bracket = try bracket(sample, Double(sample.count) - Double(sample.count - zeros) * part)
    let noted = NotedElements(count: count)
    let room = count / 8 + Chunks.length
    let near = chunks.vector(.inside(0), room)
    let places = chunks.vector(.order, room).elements.assumingMemoryBound(to: UInt32.self)
    var nearBeside: [Vector] = []
    var sums: [Double] = []
    var found = 0
    try chunks.forEach { range in
      guard found + range.count <= room else { return found = room }
      let chunk = try elements(range)
      let vectors = try beside(range)
      let here = noted.split(chunk, range, by: &bracket, open: places + found)
      if sums.isEmpty {
        sums = vectors.map { _ in 0 }
        nearBeside = vectors.indices.map { chunks.vector(.inside(1 + $0), room) }
      }
      for (target, vector) in zip([near] + nearBeside, [chunk] + vectors) {
        kernels.pointee.pick(
          vector.elements, places + found, UInt32(range.lowerBound), target[found..<found + here].elements, here)
      }
      for (index, vector) in vectors.enumerated() { sums[index] += noted.squares(vector, range) }
      found += here
    }
    let above = count - Int(bracket.below) - found
    let chosen = Int(Double(count - Int(bracket.zero)) * part) - above
    guard found < room, chosen >= 0, chosen <= found else { return nil }
    let open = near[0..<found]
    var selection = try Self.largest(chosen, of: open)
    kernels.pointee.select(open.elements, open.elements, &selection, found)
    noted.mark(open, at: places)
    let kept = NotedElements(count: found, group: max(1, found))
    kept.note(open, 0..<found)
    for (index, vector) in nearBeside.enumerated() { sums[index] += kept.squares(vector[0..<found], 0..<found) }
    return (noted, sums)
  }

  // MARK: Sampling

  private static let sampleSize = 1 << 16

  /// Pieces from all over the tensor.
  private func sample() throws -> Vector {
    let piece = max(group, 512 / max(1, group) * group)
    let pieces = max(1, Self.sampleSize / piece)
    let sample = chunks.vector(.sample, piece * pieces)
    for index in 0..<pieces {
      let start = index * (count / group / pieces) * group
      sample[index * piece..<(index + 1) * piece].copy(try elements(start..<start + piece))
    }
    return sample
  }

  /// Two magnitudes around that of the given rank in the sample, each six standard deviations away from it.
  private func bracket(_ sample: Vector, _ rank: Double) throws -> VMBracket {
    let (size, part) = (Double(sample.count), min(1, max(0, rank / Double(sample.count))))
    let margin = 6 * (part * (1 - part) * size).squareRoot() + 3
    let (low, high) = (Int((part * size - margin).rounded(.down)), Int((part * size + margin).rounded(.up)))
    let known = [low, high].filter { $0 >= 0 && $0 < sample.count }
    let keys = Dictionary(
      zip(known, try Self.counted(known, sample.count, kernels) { try $0(sample) }.map(\.key)),
      uniquingKeysWith: { $1 })
    var bracket = VMBracket()
    bracket.low = min(keys[low] ?? 0, limit - 1)
    bracket.high = max(keys[high] ?? limit, bracket.low + 1)
    return bracket
  }

  /// The element of a rank, where the bracket has it.
  private func place(_ rank: Int, _ bracket: VMBracket) throws -> Place? {
    let (below, atLow, atHigh) = (Int(bracket.below), Int(bracket.atLow), Int(bracket.atHigh))
    if rank < below { return nil }
    if rank < below + atLow { return Place(key: bracket.low, below: below, equal: atLow) }
    guard !bracket.isFull, let inside = bracket.inside else { return nil }
    let before = below + atLow
    if rank < before + bracket.found {
      let keys = Vector(elements: inside, count: bracket.found, kernels: kernels)
      var place = try Self.counted([rank - before], keys.count, kernels) { try $0(keys) }[0]
      place.below += before
      return place
    }
    guard rank < before + bracket.found + atHigh else { return nil }
    return Place(key: bracket.high, below: before + bracket.found, equal: atHigh)
  }

  // MARK: Counting

  private func countedPlaces(_ ranks: (_ zeros: Int) -> [Int]) throws -> [Place] {
    var nonzero = 0
    try chunks.forEach(of: group) { range in
      nonzero += kernels.pointee.nonzero(try elements(range).elements, range.count)
    }
    return try Self.counted(ranks(count - nonzero), count, kernels) { body in
      try chunks.forEach(of: group) { try body(try elements($0)) }
    }
  }

  /// The elements at ranks, digit by digit of their keys, the highest first.
  private static func counted(
    _ ranks: [Int], _ count: Int, _ kernels: UnsafePointer<VMKernels>,
    _ forEachChunk: ((Vector) throws -> Void) throws -> Void
  ) throws -> [Place] {
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
        // Of the last digit only the upper bits are the key's.
        let rest = max(0, -shift)
        places[index].key = places[index].key << UInt64(digitBits - rest) | UInt64(digit) >> UInt64(rest)
      }
      if shift <= 0 { return places }
      shift -= digitBits
    }
  }

  /// The `kept` largest elements; of equals the first.
  func largest(_ kept: Int) throws -> VMSelection {
    guard kept > 0 else { return nothing }
    guard kept < count else { return everything }
    return Self.selection(try places([count - kept])[0], kept, of: count, kernels)
  }

  /// The `part` of the elements other than 0 that are largest; of equals the first.
  func largest(part: Double) throws -> VMSelection {
    var kept = 0
    let places = try places { zeros in
      kept = Int(Double(count - zeros) * part)
      return [min(count - 1, max(0, count - kept))]
    }
    return kept > 0 ? kept < count ? Self.selection(places[0], kept, of: count, kernels) : everything : nothing
  }

  /// The `kept` largest of these elements; of equals the first.
  private static func largest(_ kept: Int, of elements: Vector) throws -> VMSelection {
    let (count, kernels) = (elements.count, elements.kernels)
    guard kept > 0 else { return nothing(kernels) }
    guard kept < count else { return everything(kernels) }
    return selection(try counted([count - kept], count, kernels) { try $0(elements) }[0], kept, of: count, kernels)
  }

  private static func selection(
    _ place: Place, _ kept: Int, of count: Int, _ kernels: UnsafePointer<VMKernels>
  ) -> VMSelection {
    var selection = everything(kernels)
    (selection.lowKey, selection.lowTo) = (place.key, UInt64(kept - (count - place.below - place.equal)))
    return selection
  }

  /// The `kept` largest of `count` elements that come in chunks from any number of tensors, and all that equal the last
  /// of them.
  static func atLeastAsLarge(
    as kept: Int, of count: Int, _ kernels: UnsafePointer<VMKernels>,
    _ forEachChunk: ((Vector) throws -> Void) throws -> Void
  ) throws -> VMSelection {
    guard kept > 0 else { return nothing(kernels) }
    var selection = everything(kernels)
    if kept < count { selection.lowKey = try counted([count - kept], count, kernels, forEachChunk)[0].key }
    return selection
  }

  /// The elements of ranks `range`; of equals the first has the lower rank.
  func ranked(_ range: Range<Int>) throws -> VMSelection {
    guard !range.isEmpty else { return nothing }
    var selection = everything
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

  private var nothing: VMSelection { Self.nothing(kernels) }
  private var everything: VMSelection { Self.everything(kernels) }

  private static func nothing(_ kernels: UnsafePointer<VMKernels>) -> VMSelection {
    VMSelection(
      lowKey: limit(kernels), highKey: limit(kernels), lowFrom: 0, lowTo: 0, lowSeen: 0, highFrom: 0, highTo: 0,
      highSeen: 0)
  }

  private static func everything(_ kernels: UnsafePointer<VMKernels>) -> VMSelection {
    VMSelection(
      lowKey: 0, highKey: limit(kernels), lowFrom: 0, lowTo: .max, lowSeen: 0, highFrom: 0, highTo: .max, highSeen: 0)
  }
}
