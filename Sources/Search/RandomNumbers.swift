import Foundation

/// SplitMix64 (Steele, Lea and Flood, 2014): the same numbers on every machine. A key of integers names a stream.
struct RandomNumbers: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(_ key: UInt64...) {
    state = 0x5EED_5EA2_C400_0000
    for part in key { state = Self.mix(state &+ 0x9E37_79B9_7F4A_7C15) ^ Self.mix(part &+ 0x632B_E59B_D9B4_E019) }
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  /// In [0, 1), with 53 random bits.
  mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Of the standard normal distribution, by Box and Muller.
  mutating func normal() -> Double {
    // 1 − u is never 0.
    (-2 * log(1 - uniform())).squareRoot() * cos(2 * .pi * uniform())
  }

  /// In 0..<bound.
  mutating func below(_ bound: Int) -> Int { min(bound - 1, Int(uniform() * Double(bound))) }
}
