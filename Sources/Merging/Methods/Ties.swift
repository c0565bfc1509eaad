extension MergeMethod {
  /// Trim, elect a sign, merge what agrees.
  static let ties = MergeMethod(
    "ties", "keep the largest of each task vector, elect a sign for every element, average those that agree with it",
    source: "https://arxiv.org/abs/2306.01708", base: .required, models: 1...,
    parameters: [
      TaskVectors.weight, TaskVectors.density, TaskVectors.lambda, TaskVectors.normalize(true),
      TaskVectors.rescale(false),
      .choice(
        "scope", of: ["tensor", "model"],
        "keep the largest of each tensor, or of all tensors of the model together (there with all equals)"),
    ],
    modelDensity: { _, settings in try settings.number("scope") == 1 ? settings.numbers("density") : nil },
    arithmetic: { inputs, settings in
      if try settings.number("scope") == 1 {
        let selections = try inputs.modelSelections()
        return try TaskVectors.merge(inputs, settings, .elected) { .ofModel(selections[$0]) }
      }
      let density = try settings.numbers("density")
      return try TaskVectors.merge(inputs, settings, .elected) { .magnitude(density: density[$0]) }
    })
}
