import Support

/// Points of the unit cube that spread over every coordinate alone (McKay, Beckman and Conover, 1979): of several draws
/// the one whose closest two points are farthest apart.
enum LatinHypercube {
  static func points(_ count: Int, dimensions: Int, random: inout SplitMix64, draws: Int = 32) -> [[Double]] {
    var best: [[Double]] = []
    var widest = -1.0
    for _ in 0..<draws {
      let columns = (0..<dimensions).map { _ in
        shuffled(count, &random).map { (Double($0) + random.uniformDouble()) / Double(count) }
      }
      let points = (0..<count).map { index in columns.map { $0[index] } }
      let gap = closest(points)
      if gap > widest { (best, widest) = (points, gap) }
    }
    return best
  }

  private static func shuffled(_ count: Int, _ random: inout SplitMix64) -> [Int] {
    var order = Array(0..<count)
    for index in order.indices.dropFirst().reversed() { order.swapAt(index, random.choice(of: index + 1)) }
    return order
  }

  private static func closest(_ points: [[Double]]) -> Double {
    var least = Double.infinity
    for i in points.indices {
      for j in 0..<i { least = min(least, squaredDistance(points[i], points[j])) }
    }
    return least
  }
}

func squaredDistance(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for index in a.indices { sum += (a[index] - b[index]) * (a[index] - b[index]) }
  return sum
}

extension SplitMix64 {
  /// A number in 0..<bound, of 53 random bits.
  mutating func choice(of bound: Int) -> Int { min(bound - 1, Int(uniformDouble() * Double(bound))) }
}
