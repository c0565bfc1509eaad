// Matrix products and decompositions, over the last two dimensions where there are more.
extension Tensor {
  public func matmul(_ other: Tensor) throws -> Tensor { try call("aten::matmul", self, other) }

  /// Σ aᵢ bᵢ of two vectors.
  public func dot(_ other: Tensor) throws -> Tensor { try call("aten::dot", self, other) }

  /// Products and sums written with indices: "bij,bjk->bik".
  public static func einsum(_ equation: String, _ tensors: [Tensor]) throws -> Tensor {
    try call("aten::einsum", equation, tensors)
  }

  /// A = U · diag(S) · Vᴴ; `full: false` gives the reduced form.
  public func svd(full: Bool = false) throws -> (u: Tensor, s: Tensor, vh: Tensor) {
    try triple(callTensors("aten::linalg_svd", self, full), "aten::linalg_svd")
  }
  public func singularValues() throws -> Tensor { try call("aten::linalg_svdvals", self) }

  /// Eigenvalues in rising order and eigenvectors (columns) of a symmetric matrix.
  public func symmetricEigen() throws -> (values: Tensor, vectors: Tensor) {
    try pair(callTensors("aten::linalg_eigh", self), "aten::linalg_eigh")
  }
  public func qr() throws -> (q: Tensor, r: Tensor) {
    try pair(callTensors("aten::linalg_qr", self), "aten::linalg_qr")
  }

  /// L with A = L · Lᵀ, for a positive definite A.
  public func cholesky() throws -> Tensor { try call("aten::linalg_cholesky", self) }

  /// X with self · X = `right`.
  public func solve(_ right: Tensor) throws -> Tensor { try call("aten::linalg_solve", self, right) }
  /// The sign of the determinant and the logarithm of its absolute value.
  public func signedLogDeterminant() throws -> (sign: Tensor, logarithm: Tensor) {
    try pair(callTensors("aten::linalg_slogdet", self), "aten::linalg_slogdet")
  }
  public func inverse() throws -> Tensor { try call("aten::linalg_inv", self) }
}
