import Torch

extension MergeMethod {
  /// ΣwᵢWᵢ / Σwᵢ
  static let linear = MergeMethod(
    "linear", "the weighted mean Σ wᵢWᵢ / Σ wᵢ", source: "https://arxiv.org/abs/2203.05482", base: .none, models: 1...,
    parameters: [
      TaskVectors.weight, .flag("normalize", default: true, "divide by the sum of the weights"),
    ],
    check: { settings in
      guard try !settings.flag("normalize") || abs(settings.numbers("weight").reduce(0, +)) >= 1e-8 else {
        throw MergeError("linear: the weights sum to 0, by which it cannot divide; set normalize to false")
      }
    },
    arithmetic: { inputs, settings in
      let weights = try settings.numbers("weight")
      let divisor = try settings.flag("normalize") ? weights.reduce(0, +) : 1
      let result = try inputs.models[0] * (weights[0] / divisor)
      for (model, weight) in zip(inputs.models, weights).dropFirst() {
        try result.addInPlace(model, scale: weight / divisor)
      }
      return result
    })
}
