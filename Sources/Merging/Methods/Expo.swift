extension MergeMethod {
  /// Farther along the way that training went.
  static let expo = MergeMethod(
    "expo", "M + α (M − W₀) with M the mean of the models: beyond them, away from the base",
    source: "https://arxiv.org/abs/2404.16792", base: .required, models: 1...,
    parameters: [.number("alpha", default: 0.1, "how much farther; 0 is the mean of the models")],
    arithmetic: { inputs, settings in
      let factor = try (1 + settings.number("alpha")) / Double(inputs.models.count)
      return Combination.pass(inputs, .taskVectors, inputs.models.map { _ in factor })
    })
}
