import Torch

extension MergeMethod {
  /// The task vector that disturbs each layer's outputs least, the task vectors standing for the inputs.
  static let wudi = MergeMethod(
    "wudi", "W₀ + λτ, where Adam moves τ from Σ δᵢ toward the minimum of Σ ‖(τ − δᵢ)δᵢᵀ‖² / ‖δᵢ‖²",
    source: "https://arxiv.org/abs/2503.08099", base: .required, models: 2...,
    parameters: [
      Matrices.lambda, .integer("steps", from: 0, default: 400, "how many steps"),
      .number("rate", from: 0, default: 1e-5, "Adam's learning rate"), Matrices.convolutions,
    ],
    needsWhole: Matrices.needsWhole,
    arithmetic: { inputs, settings in
      let (steps, rate) = try (Int(settings.number("steps")), settings.number("rate"))
      return try Matrices.pass(inputs, settings) { deltas in
        let merged = try deltas.dropFirst().reduce(deltas[0]) { try $0 + $1 }.clone()
        // The gradient 2 Σ (τ − δᵢ) δᵢᵀδᵢ / ‖δᵢ‖² is linear in τ.
        let columns = merged.shape[1]
        let slope = try Tensor.zeros([columns, columns], dtype: .float64)
        let start = try merged.zerosLike()
        for delta in deltas {
          let norm = try delta.square().sum().item()
          guard norm > 0 else { continue }
          let square = try delta.transpose().matmul(delta) * (2 / norm)
          try slope.addInPlace(square)
          try start.addInPlace(delta.matmul(square))
        }
        var adam = try Matrices.Adam(merged, rate: rate)
        for _ in 0..<steps {
          try inputs.chunks.checkCancellation()
          try adam.step(merged, merged.matmul(slope) - start)
        }
        return merged
      }
    })
}
