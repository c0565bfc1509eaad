import Foundation
import MergeKernels

/// Methods whose result is a linear combination of the inputs. Its coefficients follow from the inner products of the
/// models (or task vectors) alone, so one pass takes those and another adds up.
enum Combination {
  /// What is combined: models Wᵢ, giving Σ cᵢWᵢ, or task vectors δᵢ, giving W₀ + Σ cᵢδᵢ.
  enum Terms { case models, taskVectors }

  /// What counts as one vector: the whole tensor, each row (along the last axis) or each column (along the first).
  enum Extent { case tensor, rows, columns }

  /// Σ cᵢWᵢ or W₀ + Σ cᵢδᵢ with known coefficients.
  static func pass(_ inputs: MergeInputs, _ terms: Terms, _ coefficients: [Double]) -> MergePass {
    // A coefficient of 0 leaves its model out, and one of 1 alone gives its model bit for bit.
    let used = coefficients.indices.filter { coefficients[$0] != 0 }
    return MergePass { range, result in
      var rest = used[...]
      if terms == .models, let first = rest.popFirst() {
        inputs.models[first].load(range, into: result)
        result.scale(by: coefficients[first])
      } else {
        try start(inputs, terms, range, result)
      }
      for index in rest { result.add(try term(inputs, terms, index, range), scale: coefficients[index]) }
    }
  }

  /// As above, with the coefficients that `solve` gives for the matrix of inner products.
  static func pass(
    _ inputs: MergeInputs, _ terms: Terms, over extent: Extent = .tensor, solve: @escaping (Products) throws -> [Double]
  ) throws -> MergePass {
    let columns = inputs.shape.isEmpty ? 1 : inputs.count / max(1, inputs.shape[0])
    switch extent {
    case .tensor:
      let products = try Products(inputs, terms)
      return pass(inputs, terms, try solve(products))
    case .rows:
      let length = max(1, inputs.shape.last ?? 1)
      return MergePass(group: length) { range, result in
        try start(inputs, terms, range, result)
        let vectors = try inputs.models.indices.map { try term(inputs, terms, $0, range) }
        for row in stride(from: 0, to: range.count, by: length) {
          let rows = vectors.map { $0[row..<row + length] }
          let coefficients = try solve(Products(rows))
          for (vector, coefficient) in zip(rows, coefficients) {
            result[row..<row + length].add(vector, scale: coefficient)
          }
        }
      }
    case .columns:
      let products = try columnProducts(inputs, terms, columns)
      var factors = inputs.models.map { _ in [Double](repeating: 0, count: columns) }
      for (column, products) in products.enumerated() {
        for (index, coefficient) in try solve(products).enumerated() { factors[index][column] = coefficient }
      }
      return MergePass(group: max(1, columns)) { range, result in
        try start(inputs, terms, range, result)
        for (index, factors) in factors.enumerated() {
          let vector = try term(inputs, terms, index, range)
          inputs.kernels.pointee.addColumns(
            result.elements, vector.elements, factors, range.count / columns, columns)
        }
      }
    }
  }

  fileprivate static func term(_ inputs: MergeInputs, _ terms: Terms, _ index: Int, _ range: Range<Int>) throws
    -> Vector
  {
    terms == .models ? inputs.model(index, range) : try inputs.taskVector(index, range)
  }

  private static func start(_ inputs: MergeInputs, _ terms: Terms, _ range: Range<Int>, _ result: Vector) throws {
    if terms == .models { result.clear() } else { try inputs.copyBase(to: result, range) }
  }

  private static func columnProducts(_ inputs: MergeInputs, _ terms: Terms, _ columns: Int) throws -> [Products] {
    let count = inputs.models.count
    var sums = [[Double]](repeating: [Double](repeating: 0, count: columns), count: count * count)
    try inputs.forEachChunk(of: max(1, columns)) { range in
      let vectors = try inputs.models.indices.map { try term(inputs, terms, $0, range) }
      for (i, a) in vectors.enumerated() {
        for (j, b) in vectors.enumerated() where j >= i {
          inputs.kernels.pointee.dotColumns(
            a.elements, b.elements, &sums[i * count + j], range.count / columns, columns)
        }
      }
    }
    return (0..<columns).map { column in
      Products(count: count) { sums[min($0, $1) * count + max($0, $1)][column] }
    }
  }
}

/// The inner products of several vectors, and with them the geometry of their linear combinations: a combination is
/// known by its coefficients.
struct Products {
  let count: Int
  private var values: [Double]

  init(count: Int, _ value: (Int, Int) -> Double) {
    self.count = count
    values = (0..<count * count).map { value($0 / count, $0 % count) }
  }

  init(_ vectors: [Vector]) {
    var values = [Double](repeating: 0, count: vectors.count * vectors.count)
    if let first = vectors.first, vectors.count <= Int(VMProductTerms) {
      let terms = vectors.map { UnsafeRawPointer($0.elements) }
      first.kernels.pointee.products(terms, Int32(terms.count), &values, first.count)
      self.init(count: vectors.count) { values[$0 * vectors.count + $1] }
      return
    }
    for (i, a) in vectors.enumerated() {
      for (j, b) in vectors.enumerated() where j >= i { values[i * vectors.count + j] = a.dot(b) }
    }
    self.init(count: vectors.count) { values[min($0, $1) * vectors.count + max($0, $1)] }
  }

  init(_ inputs: MergeInputs, _ terms: Combination.Terms) throws {
    var sums = [Double](repeating: 0, count: inputs.models.count * inputs.models.count)
    try inputs.forEachChunk { range in
      let part = Products(try inputs.models.indices.map { try Combination.term(inputs, terms, $0, range) })
      for index in sums.indices { sums[index] += part.values[index] }
    }
    (count, values) = (inputs.models.count, sums)
  }

  /// ⟨xᵢ, xⱼ⟩
  subscript(i: Int, j: Int) -> Double { values[i * count + j] }

  /// ‖xᵢ‖
  func norm(_ i: Int) -> Double { self[i, i].squareRoot() }

  /// ⟨Σ aᵢxᵢ, Σ bᵢxᵢ⟩
  func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for i in 0..<count { for j in 0..<count { sum += a[i] * b[j] * self[i, j] } }
    return sum
  }

  /// ‖Σ aᵢxᵢ‖
  func norm(_ a: [Double]) -> Double { max(0, dot(a, a)).squareRoot() }

  /// The coefficients of factor · xᵢ
  func unit(_ i: Int, _ factor: Double = 1) -> [Double] { (0..<count).map { $0 == i ? factor : 0 } }
}

/// a + factor · b
func adding(_ a: [Double], _ b: [Double], scale factor: Double) -> [Double] { zip(a, b).map { $0 + factor * $1 } }
