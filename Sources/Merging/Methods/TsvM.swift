import Torch

extension MergeMethod {
  /// Each task's leading singular vectors, made orthogonal between the tasks.
  static let tsvM = MergeMethod(
    "tsv_m",
    "W₀ + λ U⊥ΣV⊥ᵀ: the first rank / N singular directions of each task vector, orthogonalised together (U = PSQᵀ "
      + "→ PQᵀ)",
    source: "https://arxiv.org/abs/2412.00081", base: .required, models: 2...,
    parameters: [Matrices.lambda, Matrices.convolutions], needsWhole: Matrices.needsWhole,
    arithmetic: { inputs, settings in
      try Matrices.pass(inputs, settings) { deltas in
        let rank = min(deltas[0].shape[0], deltas[0].shape[1]) / deltas.count
        let (u, s, vh) = try Matrices.leading(rank, of: deltas)
        return try (Matrices.orthogonalised(u) * s).matmul(Matrices.orthogonalised(vh))
      }
    })
}
