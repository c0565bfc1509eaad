import Torch

extension MergeMethod {
  /// The common directions and some of each task's own, made equally strong.
  static let isoCts = MergeMethod(
    "iso_cts",
    "as iso_c, with the weakest directions of Σ δᵢ replaced by the strongest that each δᵢ has besides the common ones",
    source: "https://arxiv.org/abs/2502.04959", base: .required, models: 2...,
    parameters: [
      Matrices.lambda,
      .number("common_space_fraction", from: 0, to: 1, default: 0.8, "the part of the directions that is common"),
      Matrices.convolutions,
    ],
    needsWhole: Matrices.needsWhole,
    arithmetic: { inputs, settings in
      let fraction = try settings.number("common_space_fraction")
      return try Matrices.pass(inputs, settings) { deltas in
        let sum = try deltas.dropFirst().reduce(deltas[0]) { try $0 + $1 }
        let rank = min(sum.shape[0], sum.shape[1])
        // As many for each task as come nearest to what the common ones leave; ties to even, like Python's `round`.
        let left = Double(rank - Int(Double(rank) * fraction)) / Double(deltas.count)
        let own = min(Int(left.rounded(.toNearestOrEven)), rank / deltas.count)
        let common = rank - own * deltas.count
        let whole = try sum.svd()
        let u = try whole.u.narrow(1, from: 0, count: common)
        let rests = try deltas.map { try $0 - u.matmul(u.transpose().matmul($0)) }
        let tasks = try Matrices.leading(own, of: rests)
        let outputs = try Matrices.orthogonalised(Tensor.concatenate([tasks.u, u], dimension: 1))
        let inputSide = try Matrices.orthogonalised(Tensor.concatenate([tasks.vh, whole.vh[0..<common]]))
        let values = try Tensor.concatenate([tasks.s, whole.s[0..<common]])
        return try outputs.matmul(inputSide) * values.mean()
      }
    })
}
