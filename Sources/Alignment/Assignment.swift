import AssignmentKernel
import Torch

/// A column of its own for every row of a square matrix, so that the elements chosen have the largest sum there is, or
/// the least.
///
/// It is found by shortest augmenting paths (Jonker and Volgenant 1987), O(n³), in float64.
public struct Assignment: Sendable, Hashable {
  /// The column of each row.
  public let columns: [Int]
  /// The sum of the elements chosen.
  public let total: Double

  /// The best assignment for a matrix.
  ///
  /// - Parameters:
  ///   - matrix: [n, n], converted to float64
  ///   - largest: look for the largest sum, not the least
  /// - Throws: `AlignmentError` for a matrix that is not square, or has elements that are not finite.
  public init(of matrix: Tensor, largest: Bool = false) throws {
    guard matrix.rank == 2, matrix.shape[0] == matrix.shape[1], matrix.shape[0] < Int32.max else {
      throw AlignmentError("an assignment needs a square matrix; this one is \(matrix.shapeDescription)")
    }
    let size = matrix.shape[0]
    let plain = try withoutGradients { try matrix.detach().to(.cpu).to(.float64).contiguous() }
    var found = [Int32](repeating: 0, count: size)
    let (columns, total, code) = try plain.withUnsafeBytes { bytes in
      let elements = bytes.bindMemory(to: Double.self)
      guard let start = elements.baseAddress, size > 0 else { return ([Int](), 0.0, Int32(0)) }
      let code = va_assign(start, size, largest, &found)
      guard code == 0 else { return ([], 0, code) }
      let columns = found.map(Int.init)
      return (columns, columns.enumerated().reduce(0) { $0 + elements[$1.offset * size + $1.element] }, code)
    }
    guard code == 0 else {
      throw AlignmentError(
        code == Int32(VANoMemory)
          ? "an assignment of \(size) rows found no memory"
          : "an assignment needs finite numbers; the matrix \(plain.shapeDescription) has others, or ones beyond 1e300")
    }
    (self.columns, self.total) = (columns, total)
  }
}
