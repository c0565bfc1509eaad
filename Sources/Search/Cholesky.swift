import Foundation

/// A symmetric positive definite matrix as L Lᵀ, rows one after the other.
struct Cholesky: Sendable {
  let size: Int
  /// L, with zeros above the diagonal.
  private(set) var factor: [Double]
  /// What had to be added to the diagonal.
  let jitter: Double

  /// Factors `matrix`. Where rounding has left it indefinite, as coinciding points do, a growing part of its mean
  /// diagonal is added; nil where even a hundredth does not help, or an element is not finite.
  init?(_ matrix: [Double], size: Int) {
    self.size = size
    let mean = (0..<size).reduce(0.0) { $0 + matrix[$1 * size + $1] } / Double(max(1, size))
    guard mean.isFinite, mean > 0 || size == 0 else { return nil }
    for part in [0, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2] {
      if let factor = Self.factor(matrix, size, adding: part * mean) {
        (self.factor, jitter) = (factor, part * mean)
        return
      }
    }
    return nil
  }

  private static func factor(_ matrix: [Double], _ size: Int, adding jitter: Double) -> [Double]? {
    var l = matrix
    let isDefinite = l.withUnsafeMutableBufferPointer { l in
      for i in 0..<size {
        for j in 0...i {
          var sum = l[i * size + j] + (i == j ? jitter : 0)
          for k in 0..<j { sum -= l[i * size + k] * l[j * size + k] }
          if i != j {
            l[i * size + j] = sum / l[j * size + j]
          } else {
            guard sum > 0, sum.isFinite else { return false }
            l[i * size + i] = sum.squareRoot()
          }
        }
        for j in (i + 1)..<max(i + 1, size) { l[i * size + j] = 0 }
      }
      return true
    }
    return isDefinite ? l : nil
  }

  /// log |A|
  var logDeterminant: Double { (0..<size).reduce(0) { $0 + 2 * log(factor[$1 * size + $1]) } }

  /// L⁻¹ b
  func solveLower(_ b: [Double]) -> [Double] {
    var x = b
    factor.withUnsafeBufferPointer { l in
      x.withUnsafeMutableBufferPointer { x in
        for i in 0..<size {
          var sum = x[i]
          for k in 0..<i { sum -= l[i * size + k] * x[k] }
          x[i] = sum / l[i * size + i]
        }
      }
    }
    return x
  }

  /// A⁻¹ b
  func solve(_ b: [Double]) -> [Double] {
    var x = solveLower(b)
    factor.withUnsafeBufferPointer { l in
      x.withUnsafeMutableBufferPointer { x in
        for i in (0..<size).reversed() {
          x[i] /= l[i * size + i]
          // Along the row, so that memory is read in order.
          for k in 0..<i { x[k] -= l[i * size + k] * x[i] }
        }
      }
    }
    return x
  }

  /// A⁻¹
  var inverse: [Double] {
    var result = [Double](repeating: 0, count: size * size)
    var unit = [Double](repeating: 0, count: size)
    for column in 0..<size {
      unit[column] = 1
      // Symmetric, so columns may be written as rows.
      result.replaceSubrange((column * size)..<((column + 1) * size), with: solve(unit))
      unit[column] = 0
    }
    return result
  }
}
