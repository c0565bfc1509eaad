import Torch

/// What the methods share that take a task vector as a matrix [outputs, inputs]; in a convolution's kernel each
/// output's weights are a row. Matrices are decomposed in float64, by one libtorch thread to each of the engine's, so
/// that results do not depend on how many there are.
enum Matrices {
  static let convolutions = MergeParameter.flag(
    "convolutions", default: true,
    "take a kernel [outputs, inputs, …] as a matrix too; false: as a vector, like the method's authors")
  static let lambda = MergeParameter.number(
    "lambda", default: 1, "the factor of the merged task vector")

  /// Whether a tensor is taken as a matrix: fewer rows or columns than there are models cannot be shared out.
  static func isMatrix(_ shape: [Int], models: Int, _ settings: MergeSettings) -> Bool {
    guard shape.count >= 2, shape.count == 2 || settings.all["convolutions"] == [1] else { return false }
    return shape[0] >= models && shape.dropFirst().reduce(1, *) >= models
  }

  static let needsWhole: @Sendable ([Int], MergeSettings) -> Bool = { isMatrix($0, models: 2, $1) }

  /// What becomes of tensors that are no matrices.
  enum Others { case mean, base }

  /// W₀ + λ · `merged`(δ), for matrices δᵢ in float64; other tensors get λ times the mean task vector, or none.
  static func pass(
    _ inputs: MergeInputs, _ settings: MergeSettings, others: Others = .mean,
    _ merged: ([Tensor]) throws -> Tensor
  ) throws -> MergePass {
    let lambda = try settings.number("lambda")
    guard isMatrix(inputs.shape, models: inputs.models.count, settings) else {
      let part = others == .mean ? lambda / Double(inputs.models.count) : 0
      return Combination.pass(inputs, .taskVectors, inputs.models.map { _ in part })
    }
    let result = try Libtorch.withOneThread {
      try withoutGradients {
        let columns = inputs.count / inputs.shape[0]
        let deltas = try inputs.models.indices.map { index in
          try inputs.whole { try inputs.taskVector(index, $0) }.to(.float64).reshape([inputs.shape[0], columns])
        }
        return try merged(deltas).to(inputs.dtype)
      }
    }
    let source = try TensorSource(result)
    return MergePass { range, target in
      try inputs.copyBase(to: target, range)
      guard let address = source.address(of: range.lowerBound) else { return }
      let delta = inputs.vector(.difference, range.count)
      delta.load(address, source.dtype.rawValue)
      target.add(delta, scale: lambda)
    }
  }

  // MARK: Decompositions

  /// A = U diag(s) Vᴴ without the directions whose singular value is 0 within rounding.
  static func decomposed(_ matrix: Tensor) throws -> (u: Tensor, s: Tensor, vh: Tensor) {
    let (u, s, vh) = try matrix.svd()
    let values = try s.array(Double.self)
    let limit = (values.first ?? 0) * Double(max(matrix.shape[0], matrix.shape[1])) * 0x1p-52
    let rank = values.prefix { $0 > limit }.count
    return (try u.narrow(1, from: 0, count: rank), try s[0..<rank], try vh[0..<rank])
  }

  /// The nearest matrix with orthonormal columns (or rows): U Vᴴ. Columns that depend on each other share a direction.
  static func orthogonalised(_ matrix: Tensor) throws -> Tensor {
    let (u, _, vh) = try decomposed(matrix)
    return try u.matmul(vh)
  }

  /// The first `count` singular directions of each matrix, side by side: U [rows, models · count], s,
  /// Vᴴ [models · count, columns].
  static func leading(_ count: Int, of matrices: [Tensor]) throws -> (u: Tensor, s: Tensor, vh: Tensor) {
    let parts = try matrices.map { try $0.svd() }
    return (
      try Tensor.concatenate(parts.map { try $0.u.narrow(1, from: 0, count: count) }, dimension: 1),
      try Tensor.concatenate(parts.map { try $0.s[0..<count] }),
      try Tensor.concatenate(parts.map { try $0.vh[0..<count] })
    )
  }

  /// Adam without weight decay on one matrix (Kingma and Ba 2015).
  struct Adam {
    private let rate: Double
    private let average, square: Tensor
    private var count = 0

    init(_ like: Tensor, rate: Double) throws {
      (self.rate, average, square) = (rate, try like.zerosLike(), try like.zerosLike())
    }

    /// Moves `parameter` in place, against its gradient.
    mutating func step(_ parameter: Tensor, _ gradient: Tensor) throws {
      count += 1
      try average.multiplyInPlace(0.9).addInPlace(gradient, scale: 0.1)
      try square.multiplyInPlace(0.999).addInPlace(gradient.square(), scale: 0.001)
      let (first, second) = (1 - power(0.9, count), 1 - power(0.999, count))
      let spread = try (square / second).sqrt().addInPlace(1e-8)
      try parameter.addInPlace(average / spread, scale: -rate / first)
    }

    private func power(_ base: Double, _ exponent: Int) -> Double {
      (0..<exponent).reduce(1) { result, _ in result * base }
    }
  }
}
