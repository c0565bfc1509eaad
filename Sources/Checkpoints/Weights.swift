import OrderedCollections
import Torch

/// A point in weight space: the tensors of a network by parameter name, in order, behaving as one vector.
///
/// Arithmetic works tensor by tensor: `(1 - alpha) * a + alpha * b`, `base + alpha * (a - base)`. Both sides must have the same
/// names and shapes. Each operation is computed in the tensors' own type; integer tensors (BatchNorm's batch counters) are
/// rounded to the nearest integer. The result never shares memory with its operands.
///
/// Copying the value shares the tensors; `clone()` copies them.
public struct Weights: Sendable {
  public typealias Storage = OrderedDictionary<String, Tensor>
  private var storage: Storage

  public init() { storage = [:] }

  /// Later duplicates of a name replace earlier ones.
  public init(_ tensors: some Sequence<(String, Tensor)>) {
    storage = Storage(tensors.map { ($0, $1) }, uniquingKeysWith: { $1 })
  }

  public var names: [String] { Array(storage.keys) }
  public var tensors: [Tensor] { Array(storage.values) }
  public var count: Int { storage.count }
  public var isEmpty: Bool { storage.isEmpty }

  /// The number of elements over all tensors.
  public var elementCount: Int { storage.values.reduce(0) { $0 + $1.count } }

  public subscript(name: String) -> Tensor? {
    get { storage[name] }
    set { storage[name] = newValue }
  }

  // MARK: Parts

  /// The tensors whose names match `pattern`, in which `*` stands for any run of characters and `?` for one.
  public func select(_ pattern: String) -> Weights {
    let pattern = Array(pattern.utf8)
    return filter { name, _ in Weights.matches(Array(name.utf8), pattern) }
  }

  public func filter(_ isIncluded: (String, Tensor) throws -> Bool) rethrows -> Weights {
    try Weights(storage.lazy.map { ($0.key, $0.value) }.filter { try isIncluded($0.0, $0.1) })
  }

  /// The tensors of floating-point type: what arithmetic, norms and merging methods act on.
  public var floating: Weights { filter { $1.dtype.isFloatingPoint } }

  public func map(_ transform: (String, Tensor) throws -> Tensor) rethrows -> Weights {
    try Weights(storage.map { ($0.key, try transform($0.key, $0.value)) })
  }

  public func clone() throws -> Weights { try withoutGradients { try map { try $1.detach().clone() } } }

  public func to(_ dtype: DType) throws -> Weights { try map { $1.dtype.isFloatingPoint ? try $1.to(dtype) : $1 } }

  public func to(_ device: Device) throws -> Weights { try map { try $1.to(device) } }

  private static func matches(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
    var n = 0
    var p = 0
    var star: (pattern: Int, name: Int)?
    while n < name.count {
      if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
        star = (p, n)
        p += 1
      } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") || pattern[p] == name[n] {
        n += 1
        p += 1
      } else if let last = star {
        // Let the last star take one character more.
        star = (last.pattern, last.name + 1)
        n = last.name + 1
        p = last.pattern + 1
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }

  // MARK: Vector arithmetic

  public static func + (a: Weights, b: Weights) throws -> Weights {
    try a.combined(with: b, floating: { try $0.adding($1) }, integer: { try $0 + $1 })
  }

  public static func - (a: Weights, b: Weights) throws -> Weights {
    try a.combined(with: b, floating: { try $0.adding($1, scale: -1) }, integer: { try $0 - $1 })
  }

  public static func * (factor: Double, weights: Weights) throws -> Weights {
    try weights.combined(
      with: nil, floating: { x, _ in try x.scaled(by: factor) },
      integer: { x, _ in try (x.to(.float64) * factor).round().to(x.dtype) })
  }

  /// The point at `alpha` on the straight line from this point (0) to `other` (1): (1 − α) a + α b (paper, section 2), exact at both ends.
  public func interpolated(to other: Weights, at alpha: Double) throws -> Weights {
    if alpha == 0 || alpha == 1 {
      // The formula loses −0, infinities and integers beyond float64's.
      try requireSameLayout(as: other)
      return try alpha == 0 ? clone() : map { name, tensor in other[name] ?? tensor }.clone()
    }
    return try combined(
      with: other, floating: { try $0.lerp($1, weight: alpha) },
      integer: { try $0.to(.float64).lerp($1.to(.float64), weight: alpha).round().to($0.dtype) })
  }

  /// Σ aᵢ bᵢ over the floating-point tensors, accumulated in float64.
  public func dot(_ other: Weights) throws -> Double {
    try requireSameLayout(as: other)
    return try withoutGradients {
      var total = 0.0
      for (name, a) in storage where a.dtype.isFloatingPoint {
        guard let b = other[name] else { continue }
        total += try (a.to(.float64) * b.to(.float64)).sum().item()
      }
      return total
    }
  }

  /// The Euclidean norm over the floating-point tensors, accumulated in float64.
  public func norm() throws -> Double {
    try withoutGradients {
      try storage.values.filter(\.dtype.isFloatingPoint)
        .reduce(0.0) { try $0 + $1.norm(dtype: .float64).square().item() }.squareRoot()
    }
  }

  /// Whether names, order, types, shapes and every element agree; NaN counts as different, −0 as 0.
  public func isIdentical(to other: Weights) throws -> Bool {
    guard names == other.names else { return false }
    return try storage.allSatisfy { name, tensor in try other[name].map { try tensor.isIdentical(to: $0) } ?? false }
  }

  /// Whether every element is finite.
  public func isFinite() throws -> Bool {
    try storage.values.allSatisfy { try !$0.dtype.isFloatingPoint || $0.isFinite().all().intItem() == 1 }
  }

  private func combined(
    with other: Weights?, floating: ([Tensor], [Tensor]) throws -> [Tensor], integer: (Tensor, Tensor) throws -> Tensor
  ) throws -> Weights {
    if let other { try requireSameLayout(as: other) }
    return try withoutGradients {
      var result = storage
      let floatingNames = storage.keys.filter { storage[$0]?.dtype.isFloatingPoint ?? false }
      // libtorch refuses empty lists.
      let values =
        floatingNames.isEmpty
        ? []
        : try floating(
          floatingNames.compactMap { storage[$0] }, floatingNames.compactMap { other?.storage[$0] ?? storage[$0] })
      for (name, value) in zip(floatingNames, values) { result[name] = value }
      for (name, tensor) in storage where !tensor.dtype.isFloatingPoint {
        result[name] = try integer(tensor, other?.storage[name] ?? tensor)
      }
      return Weights(result.map { ($0.key, $0.value) })
    }
  }

  // MARK: Layout

  /// Every way in which `other` differs in names, shapes or types; empty when arithmetic between the two makes sense.
  public func layoutDifferences(from other: Weights) -> [String] {
    var differences: [String] = []
    for (name, tensor) in storage {
      guard let peer = other[name] else {
        differences.append("\(name) \(tensor.shapeDescription) is missing")
        continue
      }
      if peer.shape != tensor.shape || peer.dtype != tensor.dtype {
        differences.append("\(name) is \(peer.shapeDescription), expected \(tensor.shapeDescription)")
      }
    }
    for (name, tensor) in other.storage where storage[name] == nil {
      differences.append("\(name) \(tensor.shapeDescription) is not expected")
    }
    return differences
  }

  /// Throws `CheckpointError` with every difference when the two do not have the same names, shapes and types.
  public func requireSameLayout(as other: Weights) throws {
    let differences = layoutDifferences(from: other)
    guard differences.isEmpty else {
      throw CheckpointError("", "weights differ in layout:\n  " + differences.joined(separator: "\n  "))
    }
  }
}
