import Foundation

/// Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's rotations: slow for hundreds of rows, exact to
/// rounding, and the same on every machine.
struct SymmetricEigen {
  private(set) var values: [Double]
  /// Row-major; column i belongs to value i.
  private(set) var vectors: [Double]

  init(_ matrix: [Double], size n: Int) {
    var a = matrix
    var v = (0..<(n * n)).map { $0 / n == $0 % n ? 1.0 : 0 }
    let scale = a.reduce(0) { $0 + $1 * $1 }
    for _ in 0..<60 {
      var off = 0.0
      for i in 0..<n { for j in 0..<i { off += a[i * n + j] * a[i * n + j] } }
      guard off > 1e-30 * scale, off.isFinite else { break }
      for p in 0..<n {
        for q in (p + 1)..<max(p + 1, n) where a[p * n + q] != 0 { Self.rotate(&a, &v, n, p, q) }
      }
    }
    values = (0..<n).map { a[$0 * n + $0] }
    vectors = v
  }

  private static func rotate(_ a: inout [Double], _ v: inout [Double], _ n: Int, _ p: Int, _ q: Int) {
    let theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q])
    let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
    let c = 1 / (t * t + 1).squareRoot()
    let s = t * c
    for k in 0..<n {
      let (x, y) = (a[k * n + p], a[k * n + q])
      (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y)
    }
    for k in 0..<n {
      let (x, y) = (a[p * n + k], a[q * n + k])
      (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y)
    }
    for k in 0..<n {
      let (x, y) = (v[k * n + p], v[k * n + q])
      (v[k * n + p], v[k * n + q]) = (c * x - s * y, s * x + c * y)
    }
  }
}
