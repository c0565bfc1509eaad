import Support
import Torch

/// The one rule for Σ cᵢθᵢ, by which linear merges, paths, planes and means of aligned networks are computed.
///
/// A term whose coefficient is 0 is left out. The first one that remains is taken exactly and multiplied, unless its
/// coefficient is 1. Every further one is multiplied and added. Each operation is rounded by itself: in float32 for
/// half-precision and float32 tensors, in float64 for float64 and integer tensors. The sum is rounded to the tensors'
/// type once, to nearest, ties to even, and integers are kept within the range of their type. So coefficients 1 and 0
/// give the first point bit for bit, in whatever order the terms come. Merges of files do the same arithmetic without
/// libtorch.
extension Weights {
  /// A point, and what it is multiplied by.
  public typealias Term = (coefficient: Double, weights: Weights)

  /// Σ cᵢθᵢ, in memory of its own.
  ///
  /// - Throws: `FileError` if there are no terms, or listing every difference in names, shapes and types.
  public static func weightedSum(_ terms: [Term]) throws -> Weights {
    guard let first = terms.first?.weights else { throw FileError("", "there are no weights to add up") }
    for term in terms.dropFirst() { try first.requireSameLayout(as: term.weights) }
    return try withoutGradients {
      try first.mapTensors { name, tensor in try sum(Self.terms(terms, of: name), like: tensor) }
    }
  }

  /// Overwrites these weights with Σ cᵢθᵢ, in the memory they have. No term may share that memory.
  ///
  /// - Throws: `FileError` listing every difference in names, shapes and types.
  public func overwrite(withSumOf terms: [Term]) throws {
    for term in terms { try requireSameLayout(as: term.weights) }
    try withoutGradients {
      for (name, tensor) in self {
        let terms = Self.terms(terms, of: name)
        guard let first = terms.first, tensor.dtype == Self.workingType(of: tensor) else {
          try tensor.copy(from: Self.sum(terms, like: tensor))
          continue
        }
        try tensor.copy(from: first.tensor)
        try Self.add(terms, to: tensor)
      }
    }
  }

  /// The point at `alpha` on the straight line from this point (0) to `other` (1): (1 − α) a + α b, exact at both ends.
  ///
  /// - Throws: `FileError` listing every difference in names, shapes and types.
  public func interpolated(to other: Weights, at alpha: Double) throws -> Weights {
    try Self.weightedSum([(1 - alpha, self), (alpha, other)])
  }

  /// The mean of several points.
  ///
  /// - Throws: `FileError` if there are none, or listing every difference in names, shapes and types.
  public static func mean(_ points: [Weights]) throws -> Weights {
    try weightedSum(points.map { (1 / Double(points.count), $0) })
  }

  private typealias TensorTerm = (coefficient: Double, tensor: Tensor)

  private static func terms(_ terms: [Term], of name: String) -> [TensorTerm] {
    terms.compactMap { term in
      term.coefficient == 0 ? nil : term.weights[name].map { (term.coefficient, $0) }
    }
  }

  private static func workingType(of tensor: Tensor) -> DType {
    tensor.dtype == .float64 || !tensor.dtype.isFloatingPoint ? .float64 : .float32
  }

  private static func sum(_ terms: [TensorTerm], like tensor: Tensor) throws -> Tensor {
    guard let first = terms.first else { return try tensor.zerosLike() }
    if terms.count == 1, first.coefficient == 1 { return try first.tensor.detach().clone() }
    let working = workingType(of: tensor)
    let sum = try tensor.dtype == working ? first.tensor.detach().clone() : first.tensor.detach().to(working)
    try add(terms, to: sum)
    guard let range = tensor.dtype.integerRange else { return try sum.to(tensor.dtype) }
    return try sum.round().clamp(min: range.lowerBound, max: range.upperBound).to(tensor.dtype)
  }

  /// The rest of the arithmetic, once `sum` holds the elements of the first term.
  private static func add(_ terms: [TensorTerm], to sum: Tensor) throws {
    if terms[0].coefficient != 1 { try sum.multiplyInPlace(terms[0].coefficient) }
    for term in terms.dropFirst() {
      // Not as one operation, which libtorch rounds once on some processors and twice on others.
      try sum.addInPlace(term.tensor.detach().to(sum.dtype) * term.coefficient)
    }
  }
}

extension DType {
  /// The range of an integer type or of truth values, in float64; nil for other types.
  fileprivate var integerRange: ClosedRange<Double>? {
    switch self {
    case .bool: 0...1
    case .uint8: 0...255
    case .int8: -128...127
    case .int16: -32768...32767
    case .uint16: 0...65535
    case .int32: -2_147_483_648...2_147_483_647
    case .uint32: 0...4_294_967_295
    // The largest numbers of float64 below 2⁶³ and 2⁶⁴.
    case .int64: -0x1p63...(0x1p63).nextDown
    case .uint64: 0...(0x1p64).nextDown
    default: nil
    }
  }
}
