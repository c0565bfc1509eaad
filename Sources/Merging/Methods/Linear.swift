extension MergeMethod {
  /// ΣwᵢWᵢ / Σwᵢ
  public static let linear = MergeMethod(
    "linear", "the weighted mean Σ wᵢWᵢ / Σ wᵢ", source: "https://arxiv.org/abs/2203.05482", base: .none, models: 1...,
    parameters: [
      TaskVectors.weight, .flag("normalize", default: true, "divide by the sum of the weights"),
    ],
    traits: .mergesStatistics, alpha: Alpha(.position, of: "weight", symbol: "α"),
    check: { settings in
      guard try !settings.flag("normalize") || abs(settings.numbers("weight").reduce(0, +)) >= 1e-8 else {
        throw MergeError("linear: the weights sum to 0, by which it cannot divide; set normalize to false")
      }
    },
    arithmetic: { inputs, settings in
      let weights = try settings.numbers("weight")
      let divisor = try settings.flag("normalize") ? weights.reduce(0, +) : 1
      return Combination.pass(inputs, .models, weights.map { $0 / divisor })
    })
}
