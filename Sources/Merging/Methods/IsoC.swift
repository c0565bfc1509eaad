import Torch

extension MergeMethod {
  /// All directions of the summed task vector made equally strong.
  static let isoC = MergeMethod(
    "iso_c", "W₀ + λ σ̄ UVᵀ with UΣVᵀ = Σ δᵢ and σ̄ the mean singular value",
    source: "https://arxiv.org/abs/2502.04959", base: .required, models: 2...,
    parameters: [Matrices.lambda, Matrices.convolutions], needsWhole: Matrices.needsWhole,
    arithmetic: { inputs, settings in
      try Matrices.pass(inputs, settings) { deltas in
        let sum = try deltas.dropFirst().reduce(deltas[0]) { try $0 + $1 }
        // Directions that no task vector has get none of the mean: which they are is not defined.
        let (u, s, vh) = try Matrices.decomposed(sum)
        return try s.count == 0 ? sum : u.matmul(vh) * s.mean()
      }
    })
}
