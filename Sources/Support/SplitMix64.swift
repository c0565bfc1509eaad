import Foundation

/// Steele, Lea and Flood's SplitMix64 (2014): 64 bits of state and only operations on integers, so every machine draws
/// the same numbers.
///
/// A generator is made from a *key*, a list of integers such as (seed, split, index). Streams of different keys are
/// independent for our purposes, so any example or batch can be drawn on its own, without the ones before it.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  @usableFromInline var state: UInt64

  /// The family to which a generator's stream belongs: under different salts, equal keys give independent numbers.
  public struct Salt: Sendable {
    let bits: UInt64
    /// Data: examples, batches, augmentation.
    public static let data = Salt(bits: 0x5EED_0F7A_11E7_5000)
    /// Searches.
    public static let search = Salt(bits: 0x5EED_5EA2_C400_0000)
  }

  /// The generator whose stream depends on all of `key`, in order, and on the salt.
  public init(_ key: UInt64..., salt: Salt = .data) {
    state = salt.bits
    for part in key { state = Self.mix(state &+ 0x9E37_79B9_7F4A_7C15) ^ Self.mix(part &+ 0x632B_E59B_D9B4_E019) }
  }

  /// Mixes `value`, so that every bit of the result depends on every bit of it.
  @inlinable
  package static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// The next 64 random bits.
  @inlinable
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  /// A number in [0, 1) with 24 random bits, which `Float` holds exactly.
  @inlinable
  public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// A number in [low, high).
  @inlinable
  public mutating func uniform(_ low: Float, _ high: Float) -> Float { low + (high - low) * uniform() }

  /// A number in [0, 1) with 53 random bits.
  @inlinable
  public mutating func uniformDouble() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number of the standard normal distribution, by Box and Muller.
  public mutating func normal() -> Double {
    // 1 − u is never 0.
    (-2 * log(1 - uniformDouble())).squareRoot() * cos(2 * .pi * uniformDouble())
  }

  /// An integer in 0 ..< `bound`, which is below 2³², by the multiply-shift map (bias below bound · 2⁻³²).
  @inlinable
  public mutating func below(_ bound: Int) -> Int { Int(((next() >> 32) &* UInt64(bound)) >> 32) }
}
