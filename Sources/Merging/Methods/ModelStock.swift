import Torch

extension MergeMethod {
  /// Between the base and the mean, nearer the mean the more the task vectors point one way.
  static let modelStock = MergeMethod(
    "model_stock",
    "t · mean(Wᵢ) + (1 − t) W₀ with t = Nc / (1 + (N − 1) c), c the mean cosine between the N task vectors",
    source: "https://arxiv.org/abs/2403.19522", base: .required, models: 2...,
    parameters: [.flag("filter_wise", default: false, "a t for each row (last axis) instead of one for the tensor")],
    arithmetic: { inputs, settings in
      let base = try inputs.requireBase()
      let shape = try settings.flag("filter_wise") && base.rank > 1 ? base.shape : [1, -1]
      let deltas = try inputs.taskVectors().map { try $0.reshape(shape) }
      let norms = try deltas.map { try $0.norm(dimensions: [-1], keep: true, dtype: .float64) }
      let count = Double(deltas.count)
      let cosine = try norms[0].zerosLike()
      for (i, a) in deltas.enumerated() {
        for j in deltas.indices.dropFirst(i + 1) {
          let product = try (a * deltas[j]).sum([-1], keep: true, dtype: .float64)
          try cosine.addInPlace((product / (norms[i] * norms[j]).clamp(min: 1e-6)).clamp(min: -1, max: 1))
        }
      }
      try cosine.multiplyInPlace(2 / (count * (count - 1)))
      let denominator = try cosine * (count - 1) + 1.0
      let singular = try denominator.abs().less(1e-6)
      // Task vectors that cancel leave the base.
      let t = try (cosine * count / denominator.maskedFill(singular, 1)).maskedFill(singular, 0)
      let mean = try deltas.dropFirst().reduce(deltas[0]) { try $0 + $1 } / count
      return try base + (mean * t.to(base.dtype)).reshape(base.shape)
    })
}
