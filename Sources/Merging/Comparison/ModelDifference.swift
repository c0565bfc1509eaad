import Checkpoints
import Foundation
import Torch
import Weights

/// How two models differ, tensor by tensor; with a base also how their task vectors agree.
public struct ModelDifference: Sendable, Encodable {
  /// One tensor that both models have, in float32 (float64 where it is stored so), sums in float64.
  public struct Row: Sendable, Encodable {
    /// As both models call it.
    public let name: String
    /// That of both.
    public let shape: [Int]
    /// ‖A‖ and ‖B‖.
    public let norms: [Double]
    /// ‖B − A‖
    public let distance: Double
    /// ‖B − A‖ / ‖A‖; nil where A is 0.
    public let relative: Double?
    /// The cosine between A and B; nil where one is 0.
    public let cosine: Double?
    /// How the task vectors agree; nil without a base.
    public let task: Task?
    /// The singular values of B − A, which is the difference of the task vectors too; nil where nobody asked.
    public var spectrum: Spectrum?
  }

  /// The task vectors A − base and B − base.
  public struct Task: Sendable, Encodable {
    /// ‖A − base‖ and ‖B − base‖.
    public let norms: [Double]
    /// The cosine between the two; nil where one is 0.
    public let cosine: Double?
    /// Of the elements that both change, the part that they change in opposite directions; nil where there are none.
    public let signConflicts: Double?
  }

  /// The singular values σ of a matrix; a tensor of more dimensions is a matrix with a row for each entry of the first.
  public struct Spectrum: Sendable, Encodable {
    /// Σσ² / max σ²
    public let stableRank: Double
    /// How many singular values, the largest first, have 90 % of Σσ².
    public let rank90: Int
    /// max σ
    public let largest: Double
    /// How many singular values there are, those that are 0 among them.
    public let count: Int
  }

  /// The tensors of floating-point type that both have, in the first one's order.
  public private(set) var rows: [Row] = []
  /// Tensors that only the first has.
  public let onlyInFirst: [String]
  /// Tensors that only the second has.
  public let onlyInSecond: [String]
  /// Tensors of different shapes, in words.
  public let misfits: [String]

  /// Numbers over several tensors.
  public struct Total: Sendable, Encodable {
    /// ‖B − A‖ / ‖A‖; nil where A is 0.
    public let relative: Double?
    /// The cosine between the task vectors; nil where one is 0, or without a base.
    public let taskCosine: Double?
    /// Of the elements that both change, the part that they change in opposite directions.
    public let signConflicts: Double?
  }

  /// The same of all rows together.
  public private(set) var total = Total(relative: nil, taskCosine: nil, signConflicts: nil)

  /// Compares two models.
  ///
  /// - Parameters:
  ///   - base: what both were fine-tuned from
  ///   - hasSpectrum: find singular values too, which takes long for large matrices
  ///   - progress: told how many elements were compared
  ///   - isCancelled: asked now and then; true ends the comparison with `CancellationError`
  /// - Throws: `MergeError` where nothing can be compared or the base lacks a tensor; `CancellationError`.
  public init(
    _ a: Weights, _ b: Weights, base: Weights? = nil, hasSpectrum: Bool = false, progress: (Int) -> Void = { _ in },
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws {
    onlyInFirst = a.names.filter { b[$0] == nil }
    onlyInSecond = b.names.filter { a[$0] == nil }
    var misfits: [String] = []
    var sums = Sums()
    var done = 0
    let workspace = Workspace(isCancelled: isCancelled)
    for (name, first) in a {
      guard let second = b[name], first.dtype.isFloatingPoint, first.dtype.canBeMerged, second.dtype.canBeMerged else {
        continue
      }
      guard first.shape == second.shape else {
        misfits.append("\(name): \(first.shape) and \(second.shape)")
        continue
      }
      let start = base?[name]
      guard base == nil || start?.shape == first.shape else {
        let found = start.map { "is \($0.shape) in the base" } ?? "is missing in the base"
        throw MergeError("\(name): \(found), and \(first.shape) in the models; name what both were fine-tuned from")
      }
      let own = try Sums(
        MergeInputs(
          models: [TensorSource(first), TensorSource(second)], base: start.map { try TensorSource($0) },
          workspace: workspace))
      var row = own.row(name, first.shape)
      if hasSpectrum, own.distance > 0 { row.spectrum = try Self.spectrum(first, second) }
      rows.append(row)
      sums += own
      done += first.count
      progress(done)
    }
    guard !rows.isEmpty else {
      let found =
        misfits.isEmpty
        ? "\(a.names.first ?? "nothing") … in the first, \(b.names.first ?? "nothing") … in the second"
        : misfits.prefix(4).joined(separator: ", ") + (misfits.count > 4 ? " and \(misfits.count - 4) more" : "")
      throw MergeError("the two have no tensor of the same name and shape: \(found)")
    }
    self.misfits = misfits
    let all = sums.row("", [])
    total = Total(relative: all.relative, taskCosine: all.task?.cosine, signConflicts: all.task?.signConflicts)
  }

  private static func spectrum(_ a: Tensor, _ b: Tensor) throws -> Spectrum? {
    guard a.shape.count > 1, a.count > 0 else { return nil }
    return try withoutGradients {
      let matrix = try (b.to(.float32) - a.to(.float32)).reshape([a.shape[0], a.count / a.shape[0]])
      let squares = try matrix.singularValues().array(Double.self).map { $0 * $0 }
      let sum = squares.reduce(0, +)
      guard let first = squares.first, first > 0 else { return nil }
      var (rank, part) = (0, 0.0)
      while rank < squares.count, part < 0.9 * sum { (rank, part) = (rank + 1, part + squares[rank]) }
      return Spectrum(stableRank: sum / first, rank90: rank, largest: first.squareRoot(), count: squares.count)
    }
  }

  /// What one pass over a tensor adds up.
  private struct Sums {
    var aa = 0.0, ab = 0.0, bb = 0.0, dd = 0.0
    var task: (aa: Double, ab: Double, bb: Double, both: Int, opposite: Int)?

    var distance: Double { dd.squareRoot() }

    init() {}

    init(_ inputs: MergeInputs) throws {
      if inputs.base != nil { task = (0, 0, 0, 0, 0) }
      try inputs.forEachChunk { range in
        let (a, b) = (inputs.model(0, range), inputs.model(1, range))
        aa += a.dot(a)
        ab += a.dot(b)
        bb += b.dot(b)
        let apart = inputs.vector(.difference, range.count)
        apart.copy(b)
        apart.subtract(a)
        dd += apart.dot(apart)
        guard var own = task else { return }
        let (first, second) = (try inputs.taskVector(0, range), try inputs.taskVector(1, range))
        own.aa += first.dot(first)
        own.ab += first.dot(second)
        own.bb += second.dot(second)
        let signs = first.signAgreement(second)
        own.both += signs.both
        own.opposite += signs.opposite
        task = own
      }
    }

    static func += (sums: inout Sums, other: Sums) {
      (sums.aa, sums.ab, sums.bb, sums.dd) = (
        sums.aa + other.aa, sums.ab + other.ab, sums.bb + other.bb, sums.dd + other.dd
      )
      guard let more = other.task else { return }
      let own = sums.task ?? (0, 0, 0, 0, 0)
      sums.task = (
        own.aa + more.aa, own.ab + more.ab, own.bb + more.bb, own.both + more.both, own.opposite + more.opposite
      )
    }

    func row(_ name: String, _ shape: [Int]) -> Row {
      func cosine(_ aa: Double, _ ab: Double, _ bb: Double) -> Double? {
        aa > 0 && bb > 0 ? min(1, max(-1, ab / (aa * bb).squareRoot())) : nil
      }
      return Row(
        name: name, shape: shape, norms: [aa.squareRoot(), bb.squareRoot()], distance: distance,
        relative: aa > 0 ? (dd / aa).squareRoot() : nil, cosine: cosine(aa, ab, bb),
        task: task.map {
          Task(
            norms: [$0.aa.squareRoot(), $0.bb.squareRoot()], cosine: cosine($0.aa, $0.ab, $0.bb),
            signConflicts: $0.both > 0 ? Double($0.opposite) / Double($0.both) : nil)
        })
    }
  }
}

extension Vector {
  /// In how many elements neither is 0, and in how many of these the signs differ.
  fileprivate func signAgreement(_ other: Vector) -> (both: Int, opposite: Int) {
    // On the bits and without branches, so that the compiler takes many elements at a time.
    func compare<Bits: FixedWidthInteger & UnsignedInteger>(_: Bits.Type) -> (both: Int, opposite: Int) {
      let x = UnsafeBufferPointer(start: elements.assumingMemoryBound(to: Bits.self), count: count)
      let y = UnsafeBufferPointer(start: other.elements.assumingMemoryBound(to: Bits.self), count: count)
      var (both, opposite): (Bits, Bits) = (0, 0)
      for index in 0..<count {
        let (a, b) = (x[index], y[index])
        let areChanged: Bits = (a &<< 1 == 0 ? 0 : 1) & (b &<< 1 == 0 ? 0 : 1)
        both &+= areChanged
        opposite &+= areChanged & (a ^ b) &>> Bits(Bits.bitWidth - 1)
      }
      return (Int(both), Int(opposite))
    }
    return kernels.pointee.width == 8 ? compare(UInt64.self) : compare(UInt32.self)
  }
}
