import MergeKernels
import Testing

/// Every instruction set's kernels against plain arithmetic: the same numbers, and all sets the same bits.
@Suite struct KernelTests {
  private static func kernels(_ wide: Bool) -> [UnsafePointer<VMKernels>] {
    (0..<Int32(VMInstructionSets)).compactMap { vm_kernels(wide, $0) }
  }

  /// Odd lengths, zeros, equal magnitudes of both signs, and magnitudes from subnormal to large.
  private static func sample(_ count: Int, seed: UInt64 = 1) -> [Float] {
    var random = SystemlessRandom(state: seed)
    return (0..<count).map { index in
      switch index % 7 {
      case 0: 0
      case 1: Float(Int.random(in: -4...4, using: &random)) / 4
      case 2: Float.random(in: -1...1, using: &random) * 70_000 * .leastNonzeroMagnitude
      case 3: Float.random(in: -1...1, using: &random) * 1e30
      default: Float.random(in: -1...1, using: &random)
      }
    }
  }

  private struct SystemlessRandom: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  /// To the nearest bfloat16, ties to even: float32's upper half.
  private static func bfloat16(_ x: Float) -> UInt16 {
    let (low, high) = (x.bitPattern & 0xFFFF, UInt16(x.bitPattern >> 16))
    if x.isNaN { return high | 0x40 }
    return low > 0x8000 || (low == 0x8000 && high & 1 == 1) ? high + 1 : high
  }

  @Test func bfloat16IsLoadedExactlyAndRoundedToNearestEven() {
    let special: [Float] = [1.00390625, 1.01171875, .greatestFiniteMagnitude, -0.0, .leastNonzeroMagnitude, 3.3895e38]
    let values = Self.sample(1003) + special
    for kernels in Self.kernels(false) {
      var stored = [UInt16](repeating: 0, count: values.count)
      let finite = kernels.pointee.store(15, values, &stored, values.count)
      #expect(stored == values.map(Self.bfloat16) && finite == stored.allSatisfy { $0 & 0x7F80 != 0x7F80 })
      var loaded = [Float](repeating: 0, count: values.count)
      kernels.pointee.load(15, stored, &loaded, values.count)
      #expect(loaded.map(\.bitPattern) == stored.map { UInt32($0) << 16 })
    }
  }

  #if !(os(macOS) && arch(x86_64))
    @Test func float16IsWhatTheProcessorMakesOfIt() {
      let all = (0...UInt16.max).filter { $0 & 0x7FFF <= 0x7C00 }
      for kernels in Self.kernels(false) {
        var loaded = [Float](repeating: 0, count: all.count)
        kernels.pointee.load(5, all, &loaded, all.count)
        #expect(loaded == all.map { Float(Float16(bitPattern: $0)) })
        // Between neighbours too, and at ties.
        let values =
          Self.sample(3000) + loaded.filter(\.isFinite).flatMap { [$0 * 1.0002, $0 * 1.00048828125] } + [
            65519, 65520, 1e6,
          ]
        var stored = [UInt16](repeating: 0, count: values.count)
        _ = kernels.pointee.store(5, values, &stored, values.count)
        #expect(stored == values.map { Float16($0).bitPattern })
      }
    }
  #endif

  /// By way of float32 the first would round up: 1 + 2⁻⁸ is a tie there.
  @Test func doublesAreRoundedOnce() {
    let values = [1 + 0x1p-8 + 0x1p-40, 1 + 0x1p-8 - 0x1p-40, 1 + 0x1p-8, -1 - 0x1p-8 - 0x1p-40, 1e300, 0.1]
    for kernels in Self.kernels(true) {
      var stored = [UInt16](repeating: 0, count: values.count)
      let finite = kernels.pointee.store(15, values, &stored, values.count)
      #expect(stored == [0x3F81, 0x3F80, 0x3F80, 0xBF81, 0x7F80, 0x3DCD] && !finite)
    }
  }

  @Test func integersAreRoundedAndKeptInRange() {
    let values = [1.5, 2.5, -0.6, 300, -300, 1e30]
    for kernels in Self.kernels(true) {
      var bytes = [Int8](repeating: 0, count: values.count)
      _ = kernels.pointee.store(1, values, &bytes, values.count)
      #expect(bytes == [2, 2, -1, 127, -128, 127])
      var words = [Int64](repeating: 0, count: values.count)
      _ = kernels.pointee.store(4, values, &words, values.count)
      #expect(words == [2, 2, -1, 300, -300, .max])
    }
  }

  @Test func vectorArithmetic() {
    let (x, start) = (Self.sample(517, seed: 2), Self.sample(517, seed: 3))
    var dots: Set<Double> = []
    for kernels in Self.kernels(false) {
      var y = start
      kernels.pointee.add(&y, x, 0.3, y.count)
      #expect(y == zip(start, x).map { $0 + Float(0.3) * $1 })
      kernels.pointee.subtract(&y, x, y.count)
      kernels.pointee.scale(&y, -2, y.count)
      #expect(y == zip(start, x).map { ($0 + Float(0.3) * $1 - $1) * -2 })
      let small = x.map { abs($0) > 1 ? 1 : $0 }
      let exact = zip(small, start).map { Double($0) * Double(abs($1) > 1 ? 1 : $1) }.reduce(0, +)
      let found = kernels.pointee.dot(small, start.map { abs($0) > 1 ? 1 : $0 }, small.count)
      #expect(abs(found - exact) < 1e-10)
      dots.insert(found)
      #expect(abs(kernels.pointee.absoluteSum(small, small.count) - small.map { Double(abs($0)) }.reduce(0, +)) < 1e-10)
      #expect(kernels.pointee.nonzero(x, x.count) == x.filter { $0 != 0 }.count)
    }
    #expect(dots.count == 1)
  }

  @Test func selectionKeepsTheRightEqualsWhateverTheChunks() {
    let values: [Float] = (0..<300).map { Float($0 % 5 - 2) / 4 }
    // Of the 120 elements of magnitude 0.5 the 17th to the 80th, and all that are larger; 0.25 is below.
    let kept = Dictionary(
      uniqueKeysWithValues: values.indices.filter { abs(values[$0]) == 0.5 }.enumerated().map { ($1, $0) })
    let expected = values.indices.map { index in (17..<80).contains(kept[index] ?? -1) ? values[index] : 0 }
    for kernels in Self.kernels(false) {
      for chunk in [1, 7, 64, 300] {
        var selection = VMSelection(
          lowKey: UInt64(Float(0.5).bitPattern), highKey: UInt64(Int32.max), lowFrom: 17, lowTo: 80, lowSeen: 0,
          highFrom: 0, highTo: .max, highSeen: 0)
        var y = values
        for start in stride(from: 0, to: y.count, by: chunk) {
          let count = min(chunk, y.count - start)
          y.withUnsafeMutableBytes {
            guard let address = $0.baseAddress.map({ $0 + 4 * start }) else { return }
            kernels.pointee.select(address, address, &selection, count)
          }
        }
        #expect(y == expected)
      }
    }
  }

  @Test func chanceBelongsToTheElement() {
    let ones = [Float](repeating: 1, count: 20_000)
    var results: Set<[Float]> = []
    for kernels in Self.kernels(false) {
      var whole = ones
      kernels.pointee.drop(&whole, 0.3, 77, 5, whole.count)
      var parts = ones
      for start in [0, 333, 12_345] {
        let end = [333: 12_345, 0: 333][start] ?? ones.count
        parts.withUnsafeMutableBytes {
          guard let base = $0.baseAddress else { return }
          kernels.pointee.drop(base + 4 * start, 0.3, 77, UInt64(5 + start), end - start)
        }
      }
      #expect(parts == whole)
      // Within four standard deviations.
      #expect(abs(whole.reduce(0, +) - 6000) < 4 * (20_000 * 0.3 * 0.7 as Float).squareRoot())
      results.insert(whole)
      var all = ones
      kernels.pointee.drop(&all, 1, 77, 0, all.count)
      #expect(all == ones)
    }
    #expect(results.count == 1)
  }

  @Test func ranksDecideTheProbability() {
    // Descending magnitudes: the first have the highest ranks. Lowest probability 0, highest 1.
    let values: [Float] = (0..<4000).map { Float(4000 - $0) * ($0 % 2 == 0 ? 1 : -1) }
    for kernels in Self.kernels(false) {
      let kept = Self.keptByRank(values, kernels, from: 0, to: 1, index: 0)
      #expect(kept[..<1000].count { $0 } > 800 && kept[3000...].count { $0 } < 200)
    }
  }

  /// Which elements their rank and chance keep, the same wherever the bits begin.
  private static func keptByRank<Element: BitwiseCopyable>(
    _ values: [Element], _ kernels: UnsafePointer<VMKernels>, from lowest: Double, to highest: Double, index: UInt64
  ) -> [Bool] {
    let results = [0, 3].map { offset in
      // Words, so that all is aligned: five elements' room for each, and 256 bytes.
      let size = MemoryLayout<Element>.size
      var scratch = [UInt64](repeating: 0, count: (5 * size * values.count + 7) / 8 + 32)
      var bits = [UInt8](repeating: 0, count: (values.count + offset + 7) / 8)
      kernels.pointee.noteRanked(values, lowest, highest, 5, index, values.count, 1, &bits, offset, &scratch)
      let kept = values.indices.map { bits[($0 + offset) / 8] >> (($0 + offset) % 8) & 1 == 1 }
      #expect(bits.reduce(0) { $0 + $1.nonzeroBitCount } == kept.count { $0 })
      return kept
    }
    #expect(results[0] == results[1])
    return results[0]
  }

  /// Rows long enough for buckets: each element against its rank by sorting and its random number, which `drop` tells
  /// to eight bits.
  @Test(arguments: [300, 2051])
  func ranksAreExact(_ count: Int) throws {
    let smooth = Self.sample(count, seed: 8).map { abs($0) < 1e10 ? $0 : $0 * 1e-30 }
    let few = (0..<count).map { Float($0 * 7919 % 23 - 11) / 8 }
    // Mostly few values, and some that lie between, or far below them.
    let mixed = few.enumerated().map { $0 % 97 == 5 ? $1 * 1.00001 : $0 % 89 == 7 ? $1 * 1e-6 : $1 }
    // As a fine-tuned model differs from its base where most of what it learned was rounded off.
    let zeros = smooth.enumerated().map { $0 % 7 == 3 ? $1 : 0 }
    for values in [smooth, few, mixed, zeros, [Float](repeating: 1, count: count), [Float](repeating: 0, count: count)]
    {
      let order = values.indices.sorted { (abs(values[$0]), $0) < (abs(values[$1]), $1) }
      var ranks = [Int](repeating: 0, count: count)
      for (rank, index) in order.enumerated() { ranks[index] = rank }
      // The least of 256 probabilities with which each element would be kept.
      var level = [Int](repeating: 256, count: count)
      for step in (0..<256).reversed() {
        var ones = [Float](repeating: 1, count: count)
        try #require(Self.kernels(false).first).pointee.drop(&ones, Double(step) / 256, 5, 77, count)
        for index in ones.indices where ones[index] == 1 { level[index] = step }
      }
      var results: Set<[Bool]> = []
      for kernels in Self.kernels(false) {
        let kept = Self.keptByRank(values, kernels, from: 0.2, to: 0.7, index: 77)
        for index in kept.indices {
          let limit = (0.2 + 0.5 * Double(ranks[index]) / Double(count - 1)) * 256
          guard Int(limit) != level[index] - 1 else { continue }
          #expect(kept[index] == (limit >= Double(level[index])), "element \(index) of \(count)")
        }
        results.insert(kept)
      }
      for kernels in Self.kernels(true) {
        results.insert(Self.keptByRank(values.map(Double.init), kernels, from: 0.2, to: 0.7, index: 77))
      }
      #expect(results.count == 1)
    }
  }

  @Test func bracketsCountAndGather() {
    let values = (0..<10_007).map { Float($0 * 31 % 997 - 400) / 64 }
    let (low, high) = (Float(2).bitPattern, Float(3).bitPattern)
    let inside = values.map { $0.bitPattern & 0x7FFF_FFFF }.filter { $0 > low && $0 < high }
    for kernels in Self.kernels(false) {
      var keys = [UInt32](repeating: 0, count: values.count)
      keys.withUnsafeMutableBytes { room in
        guard let address = room.baseAddress else { return }
        for limit in [values.count, 100] {
          var bracket = VMBracket()
          (bracket.low, bracket.high, bracket.inside, bracket.room) = (UInt64(low), UInt64(high), address, limit)
          kernels.pointee.bracket(values, &bracket, values.count)
          #expect(bracket.below == values.filter { abs($0) < 2 }.count)
          #expect(bracket.atLow == values.filter { abs($0) == 2 }.count)
          #expect(bracket.atHigh == values.filter { abs($0) == 3 }.count)
          #expect(bracket.zero == values.filter { $0 == 0 }.count)
          #expect(bracket.isFull == (limit == 100) && bracket.found == (limit == 100 ? 0 : inside.count))
        }
      }
      #expect(Array(keys[..<inside.count]) == inside)
    }
  }

  @Test func aSplitFindsWhatIsNearABoundary() {
    for count in [1, 16, 37, 301] {
      let values = Self.sample(count, seed: 9).map { abs($0) < 1e10 ? $0 : 0 }
      let sorted = values.map(\.magnitude).sorted()
      let (low, high) = (sorted[count / 3].bitPattern, sorted[count / 2].bitPattern)
      let expected = values.indices.filter { low...high ~= values[$0].magnitude.bitPattern }
      for kernels in Self.kernels(false) {
        var bracket = VMBracket()
        (bracket.low, bracket.high) = (UInt64(low), UInt64(high))
        var bits = [UInt8](repeating: 0xAA, count: (count + 7) / 8)
        var places = [UInt32](repeating: 0, count: count + 16)
        let found = kernels.pointee.split(values, &bracket, &bits, &places, 1000, count)
        #expect(places[..<found].map { Int($0) - 1000 } == expected)
        #expect(bracket.below == values.count { $0.magnitude.bitPattern < low })
        #expect(bracket.zero == values.count { $0 == 0 })
        for index in values.indices {
          #expect((bits[index / 8] >> (index % 8) & 1 == 1) == (values[index].magnitude.bitPattern > high))
        }
        var picked = [Float](repeating: .nan, count: found)
        kernels.pointee.pick(values, places, 1000, &picked, found)
        #expect(picked == expected.map { values[$0] })
        var marked = [UInt8](repeating: 0, count: 1000 / 8 + bits.count)
        kernels.pointee.mark(picked, places, &marked, found)
        for index in values.indices {
          let isMarked = marked[(1000 + index) / 8] >> ((1000 + index) % 8) & 1 == 1
          #expect(isMarked == (expected.contains(index) && values[index] != 0))
        }
      }
    }
  }

  @Test func notedElementsAreKept() {
    for count in [1, 8, 23, 301] {
      let values = Self.sample(count, seed: 9)
      for kernels in Self.kernels(false) {
        var bits = [UInt8](repeating: 0xAA, count: (count + 7) / 8)
        kernels.pointee.note(values, &bits, count)
        #expect(values.indices.allSatisfy { (bits[$0 / 8] >> ($0 % 8) & 1 == 1) == (values[$0] != 0) })
        var ones = [Float](repeating: 1, count: count)
        kernels.pointee.keepNoted(&ones, bits, 3, count)
        #expect(ones == values.map { $0 == 0 ? 0 : 3 })
        let fourths = (0..<count).map { Float($0 % 4 == 3 ? -1 : 1) }
        var (all, noted) = (0.0, 0.0)
        kernels.pointee.absoluteSums(fourths, bits, &all, &noted, count)
        #expect(all == Double(count) && noted == Double(values.count { $0 != 0 }))
        let fives = [Float](repeating: -5, count: count)
        #expect(kernels.pointee.squaresNoted(fives, bits, count) == 25 * noted)
      }
    }
  }

  /// Some numbers of terms have loops of their own, and weights that only add up to powers of two.
  @Test(arguments: 1...5, [[0.5, -0.25, 2, 1, 0.75], [0.5, 0.5, 0, 1, 2]])
  func signsAreElected(_ count: Int, _ factors: [Double]) {
    let terms = (0..<count).map { Self.sample(300, seed: 4 + UInt64($0)) }
    let weights = Array(factors[..<count])
    for kernels in Self.kernels(false) {
      for divisor in [-1.0, 0, 1e-6] {
        var y = [Float](repeating: 0, count: 300)
        Self.withPointers(terms) {
          kernels.pointee.elect(&y, $0, weights, weights, Int32(count), divisor, 300)
        }
        for index in y.indices {
          let scaled = zip(terms, weights).map { $0[index] * Float($1) }
          let isPositive = scaled.map(Double.init).reduce(0, +) >= 0
          let agreeing = scaled.indices.filter { isPositive ? scaled[$0] > 0 : scaled[$0] < 0 }
          let (sum, total) = (
            agreeing.map { scaled[$0] }.reduce(0, +), agreeing.map { Float(weights[$0]) }.reduce(0, +)
          )
          let expected = divisor < 0 ? sum : sum / (divisor > 0 ? max(total, 1e-6) : total == 0 ? 1 : total)
          #expect(abs(y[index] - expected) <= abs(expected) * 1e-6, "element \(index)")
        }
      }
      var broken = terms
      broken[0][7] = .nan
      var y = [Float](repeating: 0, count: 300)
      Self.withPointers(broken) { kernels.pointee.elect(&y, $0, weights, weights, Int32(count), 0, 300) }
      #expect(y[7].isNaN)
    }
  }

  /// What is small beside terms that cancel decides, in whatever order they come.
  @Test func theSignOfASumIsExact() {
    let tiny: [Float] = [-1, -1e-30, 1]
    for small in tiny {
      for place in 0..<3 {
        var terms: [[Float]] = [[1e8, 3.3e7, 1e-20], [-1e8, -3.3e7, -1e-20]]
        terms.insert([small, small, small], at: place)
        for kernels in Self.kernels(false) {
          var y = [Float](repeating: 0, count: 3)
          Self.withPointers(terms) { kernels.pointee.elect(&y, $0, [1, 1, 1], [1, 1, 1], 3, -1, 3) }
          let large = terms.first { $0[0] == (small < 0 ? -1e8 : 1e8) } ?? []
          #expect(y == large.map { $0 + small }, "\(small) at \(place)")
        }
      }
    }
  }

  @Test(arguments: 1...5)
  func variancesAndProducts(_ count: Int) {
    let terms = (0..<count).map { seed in
      Self.sample(301, seed: 20 + UInt64(seed)).map { abs($0) < 1e10 ? $0 : $0 * 1e-30 }
    }
    var results: Set<[Double]> = []
    for kernels in Self.kernels(false) {
      var variances = [Float](repeating: -1, count: 301)
      var products = [Double](repeating: -1, count: count * count)
      Self.withPointers(terms) {
        kernels.pointee.variance(&variances, $0, Int32(count), 301)
        kernels.pointee.products($0, Int32(count), &products, 301)
      }
      for index in variances.indices {
        let values = terms.map { Double($0[index]) }
        let mean = values.reduce(0, +) / Double(count)
        let expected = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(count)
        #expect(abs(Double(variances[index]) - Double(Float(expected))) <= 1e-6 * expected, "element \(index)")
      }
      for (i, a) in terms.enumerated() {
        for (j, b) in terms.enumerated() { #expect(products[i * count + j] == kernels.pointee.dot(a, b, 301)) }
      }
      results.insert(products)
    }
    #expect(results.count == 1)
  }

  /// Calls the body with where the arrays lie.
  private static func withPointers(_ arrays: [[Float]], _ body: ([UnsafeRawPointer]) -> Void) {
    func next(_ rest: ArraySlice<[Float]>, _ found: [UnsafeRawPointer]) {
      guard let first = rest.first else { return body(found) }
      first.withUnsafeBytes { bytes in next(rest.dropFirst(), found + [bytes.baseAddress].compactMap(\.self)) }
    }
    next(arrays[...], [])
  }

  @Test(arguments: [5, 512, 1301])
  func differencesAreLoaded(_ count: Int) {
    let (x, y) = (Self.sample(count, seed: 2), Self.sample(count, seed: 3))
    let small = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    for kernels in Self.kernels(false) {
      var result = [Float](repeating: 0, count: count)
      kernels.pointee.loadDifference(6, x, 6, y, &result, count)
      #expect(result == zip(x, y).map { $0 - $1 })
      kernels.pointee.addStored(6, y, &result, count)
      #expect(result == zip(x, y).map { ($0 - $1) + $1 })
      // Stored in two ways.
      kernels.pointee.loadDifference(6, x, 0, small, &result, count)
      #expect(result == zip(x, small).map { $0 - Float($1) })
      kernels.pointee.loadDifference(0, small, 6, x, &result, count)
      #expect(result == zip(small, x).map { Float($0) - $1 })
    }
  }

  @Test func aChecksumSeesEveryByteAndPlace() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let whole = vm_checksum(bytes, bytes.count, 0)
    #expect(vm_checksum(bytes, 400, 0) &+ vm_checksum(Array(bytes[400...]), 600, 400) == whole)
    for place in [0, 7, 8, 555, 999] {
      var changed = bytes
      changed[place] ^= 1
      #expect(vm_checksum(changed, changed.count, 0) != whole)
    }
    var swapped = bytes
    swapped.swapAt(8, 17)
    #expect(vm_checksum(swapped, swapped.count, 0) != whole)
  }
}
