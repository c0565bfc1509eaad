/// Steele, Lea and Flood's SplitMix64: 64 bits of state, every operation on integers, so the same numbers on every
/// machine.
///
/// A generator is made from a *key*, a list of integers such as (seed, split, index). Streams of different keys are
/// independent for our purposes, which lets any example or any batch be drawn on its own, without the ones before it.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// The generator whose stream is fixed by all of `key`, in order.
  public init(_ key: UInt64...) {
    state = 0x5EED_0F7A_11E7_5000
    for part in key { state = Self.mix(state &+ 0x9E37_79B9_7F4A_7C15) ^ Self.mix(part &+ 0x632B_E59B_D9B4_E019) }
  }

  @inline(__always)
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  @inline(__always)
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  /// A number in [0, 1) with 24 random bits: exact in `Float`.
  @inline(__always)
  public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// A number in [low, high).
  @inline(__always)
  public mutating func uniform(_ low: Float, _ high: Float) -> Float { low + (high - low) * uniform() }

  /// An integer in 0..<bound, `bound` below 2³², by the multiply-shift map (bias below bound · 2⁻³²).
  @inline(__always)
  public mutating func below(_ bound: Int) -> Int { Int(((next() >> 32) &* UInt64(bound)) >> 32) }
}
