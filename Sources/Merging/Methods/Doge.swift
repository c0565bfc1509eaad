import Torch

extension MergeMethod {
  /// A change of all task vectors that makes them disturb each other less, outside the directions that they share.
  static let doge = MergeMethod(
    "doge",
    "W₀ + λ Σ λᵢ · top(δᵢ) ⊙ (δᵢ + Δ) with λᵢ = scale / ‖δᵢ‖ and Δ toward least Σⱼ ‖rowsum(δⱼ ⊙ (Σ λᵢ(δᵢ + Δ) − δⱼ))‖²",
    source: "https://arxiv.org/abs/2501.01230", base: .required, models: 2...,
    parameters: [
      Matrices.lambda,
      .number("scale", from: 0, default: 0.07, "the norm that each matrix's task vectors are brought to"),
      .number(
        "density", from: 0, to: 1, default: 0.3, perModel: true,
        "the part of each task vector that is kept, over all matrices together"),
      .integer("subspace", from: 1, default: 6, "Δ keeps out of the rank / subspace strongest shared directions"),
      .integer("steps", from: 0, default: 400, "how many steps"),
      .number("rate", from: 0, default: 1e-4, "Adam's learning rate"), Matrices.convolutions,
    ],
    needsWhole: Matrices.needsWhole,
    modelDensity: { shape, settings in
      let densities = try settings.numbers("density")
      return Matrices.isMatrix(shape, models: densities.count, settings) ? densities : nil
    },
    arithmetic: { inputs, settings in
      let (scale, rate) = try (settings.number("scale"), settings.number("rate"))
      let (steps, subspace) = try (Int(settings.number("steps")), Int(settings.number("subspace")))
      return try Matrices.pass(inputs, settings, others: .base) { deltas in
        let factors = try deltas.map { delta in
          let norm = try delta.norm().item()
          return norm > 0 ? scale / norm : 0
        }
        let change = try adaptation(deltas, factors, steps: steps, rate: rate, subspace: subspace, inputs)
        let merged = try change.zerosLike()
        for (index, delta) in deltas.enumerated() {
          var selection = try inputs.modelSelections()[index]
          let kept = try inputs.whole { range in
            let part = try inputs.taskVector(index, range)
            inputs.kernels.pointee.select(part.elements, part.elements, &selection, part.count)
            return part
          }
          let isKept = try kept.reshape(delta.shape).equals(0).not().to(.float64)
          try merged.addInPlace((delta + change) * isKept, scale: factors[index])
        }
        return merged
      }
    })

  /// Δ: Adam on the loss, whose gradient for Δ is 2 (Σ λᵢ) Σⱼ eⱼ δⱼ with eⱼ the row sums, less its part in the shared
  /// directions.
  private static func adaptation(
    _ deltas: [Tensor], _ factors: [Double], steps: Int, rate: Double, subspace: Int, _ inputs: MergeInputs
  ) throws -> Tensor {
    let rank = min(deltas[0].shape[0], deltas[0].shape[1])
    let shared = try Matrices.leading(rank / deltas.count, of: deltas).u.svd().u
    let basis = try shared.narrow(1, from: 0, count: min(rank / subspace, shared.shape[1]))
    let total = factors.reduce(0, +)
    let sum = try zip(deltas, factors).reduce(deltas[0].zerosLike()) { try $0 + $1.0 * $1.1 }
    let fixed = try deltas.map { try ($0 * (sum - $0)).sum([1], keep: true) }
    let change = try sum.zerosLike()
    var adam = try Matrices.Adam(change, rate: rate)
    for _ in 0..<steps {
      try inputs.chunks.checkCancellation()
      let gradient = try change.zerosLike()
      for (delta, start) in zip(deltas, fixed) {
        let error = try start + (delta * change).sum([1], keep: true) * total
        try gradient.addInPlace(delta * error, scale: 2 * total)
      }
      try adam.step(change, gradient - basis.matmul(basis.transpose().matmul(gradient)))
    }
    return change
  }
}
