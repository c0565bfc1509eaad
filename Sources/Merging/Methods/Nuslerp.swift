import Torch

extension MergeMethod {
  /// The great circle between two models or, with a base, between their task vectors.
  static let nuslerp = MergeMethod(
    "nuslerp", "slerp at t = w₂ / (w₁ + w₂) between two models or, with a base, between their task vectors",
    base: .optional, models: 2..., upTo: 2,
    parameters: [
      TaskVectors.weight,
      .flag("nuslerp_flatten", default: true, "take the whole tensor as one vector"),
      .flag(
        "nuslerp_row_wise", default: false,
        "without nuslerp_flatten: each vector runs along the first axis instead of the last (mergekit's name)"),
    ],
    arithmetic: { inputs, settings in
      let weights = try settings.numbers("weight")
      let total = weights[0] + weights[1]
      let t = abs(total) < 1e-6 ? 0.5 : weights[1] / total
      var (a, b) = (inputs.models[0], inputs.models[1])
      if let base = inputs.base { (a, b) = try (a - base, b - base) }
      let isFlat = try settings.flag("nuslerp_flatten") || a.rank == 0
      let axis = try settings.flag("nuslerp_row_wise") && !isFlat ? 0 : -1
      if isFlat { (a, b) = try (a.flatten(), b.flatten()) }
      func unit(_ x: Tensor) throws -> Tensor {
        let x = try x.to(.float64)
        return try x / x.norm(dimensions: [axis], keep: true).clamp(min: 1e-7)
      }
      let cosine = try (unit(a) * unit(b)).sum([axis], keep: true).clamp(min: -1, max: 1)
      let isLine = try (1 - cosine.square()).lessOrEqual(1e-16)
      let angle = try cosine.maskedFill(isLine, 0).acos()
      func factor(_ part: Double) throws -> Tensor {
        let onCircle = try (angle * part).sin() / angle.sin()
        return try onCircle.maskedFill(isLine, part).to(a.dtype)
      }
      let merged = try (a * factor(1 - t) + b * factor(t)).reshape(inputs.models[0].shape)
      return try inputs.base.map { try $0 + merged } ?? merged
    })
}
