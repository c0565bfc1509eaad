import Torch

/// The space that a symmetric operator spans from one vector, q₀, A q₀, A² q₀ …, with an orthonormal basis in which the
/// operator is tridiagonal (Lanczos).
///
/// Basis vectors are float32; dot products, norms and the tridiagonal matrix are float64, and every new vector is
/// orthogonalised against all former ones twice, which keeps the basis orthonormal to float32's precision whatever the
/// spectrum. Where the space is exhausted the basis goes on with a random vector orthogonal to it, and the matrix falls
/// into blocks: so further copies of multiple eigenvalues are found.
struct KrylovSpace {
  let operation: any SymmetricOperator
  /// qᵢᵀ A qᵢ
  private(set) var diagonal: [Double] = []
  /// qᵢᵀ A qᵢ₊₁; 0 where the space was exhausted. The last couples the basis to what it does not hold.
  private(set) var offDiagonal: [Double] = []
  /// Products since the basis was last begun anew
  private(set) var sinceRestart = 0
  /// [capacity + 1, n], of which the first `diagonal.count` + 1 rows count
  private let basis: Tensor
  private let generator: Generator

  var count: Int { diagonal.count }
  /// Whether the basis spans everything there is.
  var isComplete: Bool { count == operation.dimension }

  /// - Parameters:
  ///   - start: q₀ up to its length, [n]
  ///   - capacity: how far the space will be grown at most
  init(_ operation: any SymmetricOperator, from start: Tensor, capacity: Int, generator: Generator) throws {
    self.operation = operation
    self.generator = generator
    basis = try .empty([min(capacity, operation.dimension) + 1, operation.dimension], device: operation.device)
    try place(start, length: start.norm(dtype: .float64).item())
  }

  private func place(_ vector: Tensor, length: Double) throws {
    try basis[count].copy(from: vector * (1 / length))
  }

  /// Adds one vector to the basis, by one product.
  /// - Throws: `LandscapeError` where a product is not finite.
  mutating func grow() throws {
    var vector = try operation(basis[count]).detach()
    sinceRestart += 1
    try withoutGradients {
      let image = try vector.norm(dtype: .float64).item()
      guard image.isFinite else {
        throw LandscapeError(
          "product \(count + 1) of the Hessian with a vector is not finite; the network's logits overflow at this point"
        )
      }
      let coefficients = try orthogonalise(&vector, against: count + 1)
      diagonal.append(coefficients[count])
      guard !isComplete else { return offDiagonal.append(0) }
      var length = try vector.norm(dtype: .float64).item()
      // What float32 leaves of nothing.
      let scale = max(image, diagonal.map(abs).max() ?? 0, offDiagonal.max() ?? 0)
      if length <= 3e-6 * scale {
        offDiagonal.append(0)
        sinceRestart = 0
        vector = try .normal([operation.dimension], generator: generator).to(operation.device)
        _ = try orthogonalise(&vector, against: count)
        length = try vector.norm(dtype: .float64).item()
      } else {
        offDiagonal.append(length)
      }
      try place(vector, length: length)
    }
  }

  /// Makes a vector orthogonal to the first `rows` of the basis; returns its coefficients in them.
  private func orthogonalise(_ vector: inout Tensor, against rows: Int) throws -> [Double] {
    var coefficients = [Double](repeating: 0, count: rows)
    let known = try basis[0..<rows]
    for _ in 0..<2 {
      let found = try products(known, vector)
      vector = try vector - found.to(.float32).unsqueeze(0).matmul(known).squeeze(0)
      for (index, value) in try found.array(Double.self).enumerated() { coefficients[index] += value }
    }
    return coefficients
  }

  /// Dot products of rows with a vector in float64, by blocks of columns that the cache holds.
  private func products(_ rows: Tensor, _ vector: Tensor) throws -> Tensor {
    let block = 1 << 15
    let sum = try Tensor.zeros([rows.size(0)], dtype: .float64, device: vector.device)
    for start in stride(from: 0, to: vector.count, by: block) {
      let width = min(block, vector.count - start)
      try sum.addInPlace(
        rows.narrow(1, from: start, count: width).to(.float64)
          .matmul(vector.narrow(0, from: start, count: width).to(.float64)))
    }
    return sum
  }

  /// Eigenvalues of the tridiagonal matrix in rising order, its eigenvectors as columns [count, count], float64, and
  /// the residuals ‖A y − θ y‖ of the vectors y they stand for, which are |β s| with β the last coupling and s an
  /// eigenvector's last element.
  func eigen() throws -> (values: [Double], vectors: Tensor, residuals: [Double]) {
    var elements = [Double](repeating: 0, count: count * count)
    for index in 0..<count {
      elements[index * count + index] = diagonal[index]
      guard index + 1 < count else { continue }
      elements[index * count + index + 1] = offDiagonal[index]
      elements[(index + 1) * count + index] = offDiagonal[index]
    }
    let (values, vectors) = try withoutGradients { try Tensor(elements, shape: [count, count]).symmetricEigen() }
    let last = try vectors[count - 1].array(Double.self)
    return (try values.array(Double.self), vectors, last.map { abs($0 * (offDiagonal.last ?? 0)) })
  }

  /// The vectors y = Q s, [k, n], of columns of `eigen().vectors`.
  func vectors(_ columns: [Int], of eigenvectors: Tensor) throws -> Tensor {
    try withoutGradients {
      let chosen = try Tensor.stack(columns.map { try eigenvectors.select(1, $0) }).to(.float32).to(operation.device)
      return try chosen.matmul(basis[0..<count])
    }
  }
}
