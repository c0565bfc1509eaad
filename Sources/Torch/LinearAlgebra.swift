// Products and decompositions of matrices: over the last two dimensions, for every index of those before them (…).
extension Tensor {
  /// The product of matrices [..., m, k] and [..., k, n], as [..., m, n]; vectors stand for a row on the left and a
  /// column on the right, and leading dimensions are broadcast. `torch.matmul`.
  ///
  /// - Throws: `TorchError` when the inner sizes or the types differ.
  public func matmul(_ other: Tensor) throws -> Tensor { try call("aten::matmul", self, other) }

  /// Σ aᵢ bᵢ of two vectors of one length and type, a tensor without dimensions; `torch.dot`.
  public func dot(_ other: Tensor) throws -> Tensor { try call("aten::dot", self, other) }

  /// Products and sums written with indices: "bij,bjk->bik" multiplies batches of matrices. `torch.einsum`.
  public static func einsum(_ equation: String, _ tensors: [Tensor]) throws -> Tensor {
    try call("aten::einsum", equation, tensors)
  }

  /// The singular value decomposition A = U · diag(S) · Vᴴ of [..., m, n], with k = min(m, n); `torch.linalg.svd`.
  ///
  /// - Parameter full: whether U is [..., m, m] and Vᴴ [..., n, n] instead of [..., m, k] and [..., k, n]
  /// - Returns: U, the singular values [..., k] in falling order, and Vᴴ.
  /// - Throws: `TorchError` when it does not converge, and for types other than float32 and float64.
  public func svd(full: Bool = false) throws -> (u: Tensor, s: Tensor, vh: Tensor) {
    try triple(callTensors("aten::linalg_svd", self, full), "aten::linalg_svd")
  }

  /// The singular values of [..., m, n] in falling order, [..., min(m, n)]; `torch.linalg.svdvals`.
  public func singularValues() throws -> Tensor { try call("aten::linalg_svdvals", self) }

  /// The eigenvalues [..., n] in rising order and the eigenvectors, columns of [..., n, n], of a symmetric matrix; only
  /// its lower triangle is read. `torch.linalg.eigh`.
  public func symmetricEigen() throws -> (values: Tensor, vectors: Tensor) {
    try pair(callTensors("aten::linalg_eigh", self), "aten::linalg_eigh")
  }

  /// A = Q · R in the reduced form: [..., m, n] gives orthonormal columns Q [..., m, k] and an upper triangle R [...,
  /// k, n], k = min(m, n). `torch.linalg.qr`.
  public func qr() throws -> (q: Tensor, r: Tensor) {
    try pair(callTensors("aten::linalg_qr", self), "aten::linalg_qr")
  }

  /// The lower triangle L with A = L · Lᵀ; `torch.linalg.cholesky`.
  ///
  /// - Throws: `TorchError` when A is not positive definite.
  public func cholesky() throws -> Tensor { try call("aten::linalg_cholesky", self) }

  /// X with A · X = `right`, for A [..., n, n] and `right` [..., n, k] or [n]; `torch.linalg.solve`.
  ///
  /// - Throws: `TorchError` when A is singular.
  public func solve(_ right: Tensor) throws -> Tensor { try call("aten::linalg_solve", self, right) }

  /// The sign of the determinant of [..., n, n] and the natural logarithm of its absolute value (−∞ if it is 0), each
  /// [...]; `torch.linalg.slogdet`.
  public func signedLogDeterminant() throws -> (sign: Tensor, logarithm: Tensor) {
    try pair(callTensors("aten::linalg_slogdet", self), "aten::linalg_slogdet")
  }

  /// A⁻¹ of [..., n, n]; `torch.linalg.inv`.
  ///
  /// - Throws: `TorchError` when A is singular.
  public func inverse() throws -> Tensor { try call("aten::linalg_inv", self) }
}
