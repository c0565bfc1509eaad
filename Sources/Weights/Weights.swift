import OrderedCollections
import Support
import Torch

/// A point in weight space: the tensors of a network by parameter name, in order, which together behave as one vector.
///
/// Arithmetic works tensor by tensor: `(1 - alpha) * a + alpha * b`, `base + alpha * (a - base)`. Both sides must have
/// the same names and shapes. Each operation is computed in the tensors' own type, and integer tensors (BatchNorm's
/// batch counters) are rounded to the nearest integer. The result never shares memory with its operands. `weightedSum`
/// adds up several terms with a single rounding.
///
/// As a collection it holds pairs `(name, tensor)` in order. Copying the value shares the tensors; `clone()` copies
/// them.
public struct Weights: Sendable {
  fileprivate typealias Storage = OrderedDictionary<String, Tensor>
  fileprivate var storage: Storage

  /// No tensors.
  public init() { storage = [:] }

  /// Tensors with their names. If a name occurs again, the later tensor replaces the earlier one.
  public init(_ tensors: some Sequence<(String, Tensor)>) {
    storage = Storage(tensors.map { ($0, $1) }, uniquingKeysWith: { $1 })
  }

  /// The names of the tensors, in order.
  public var names: [String] { Array(storage.keys) }
  /// The tensors, in order.
  public var tensors: [Tensor] { Array(storage.values) }

  /// The number of elements over all tensors.
  public var elementCount: Int { storage.values.reduce(0) { $0 + $1.count } }

  /// The tensor of that name; nil if there is none. A new name comes last, and setting nil removes the tensor.
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

  /// The tensors for which the condition holds, in order.
  public func filter(_ isIncluded: (Element) throws -> Bool) rethrows -> Weights {
    var result = self
    try result.storage.removeAll { try !isIncluded(($0.key, $0.value)) }
    return result
  }

  /// The tensors of floating-point type, on which norms and most merging methods act.
  public var floating: Weights { filter { $1.dtype.isFloatingPoint } }

  /// The same names, each with the tensor that `transform` gives for it.
  public func mapTensors(_ transform: (String, Tensor) throws -> Tensor) rethrows -> Weights {
    var result = self
    for (name, tensor) in self { result.storage[name] = try transform(name, tensor) }
    return result
  }

  /// The same numbers in memory of their own, cut off from what computed them.
  public func clone() throws -> Weights { try withoutGradients { try mapTensors { try $1.detach().clone() } } }

  /// The floating-point tensors in another type; others stay as they are.
  public func to(_ dtype: DType) throws -> Weights {
    try mapTensors { $1.dtype.isFloatingPoint ? try $1.to(dtype) : $1 }
  }

  /// The tensors on another device.
  public func to(_ device: Device) throws -> Weights { try mapTensors { try $1.to(device) } }

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
        // Let the last star match one character more.
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

  /// The sum, tensor by tensor.
  ///
  /// - Throws: `FileError` listing every difference in names, shapes and types; so do `-` and `dot`.
  public static func + (a: Weights, b: Weights) throws -> Weights {
    try a.combined(with: b, floating: { try $0.adding($1) }, integer: { try $0 + $1 })
  }

  /// The difference, tensor by tensor.
  public static func - (a: Weights, b: Weights) throws -> Weights {
    try a.combined(with: b, floating: { try $0.adding($1, scale: -1) }, integer: { try $0 - $1 })
  }

  /// Every tensor times a number.
  public static func * (factor: Double, weights: Weights) throws -> Weights {
    try weights.combined(
      with: nil, floating: { x, _ in try x.scaled(by: factor) },
      integer: { x, _ in try (x.to(.float64) * factor).round().to(x.dtype) })
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
      var sum = self
      sum.storage = result
      return sum
    }
  }

  // MARK: Layout

  /// Every way in which `other` differs in names, shapes or types, each in a few words; empty if arithmetic between the
  /// two makes sense.
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

  /// Requires the same names, shapes and types.
  ///
  /// - Throws: `FileError` with every difference.
  public func requireSameLayout(as other: Weights) throws {
    let differences = layoutDifferences(from: other)
    guard differences.isEmpty else {
      throw FileError("", "weights differ in layout:\n  " + differences.joined(separator: "\n  "))
    }
  }
}

extension Weights: RandomAccessCollection {
  /// A name and its tensor.
  public typealias Element = (name: String, tensor: Tensor)

  /// 0
  public var startIndex: Int { 0 }
  /// The number of tensors.
  public var endIndex: Int { storage.count }

  /// The tensor at a place in the order.
  public subscript(position: Int) -> Element {
    let element = storage.elements[position]
    return (element.key, element.value)
  }
}
