import Torch

extension MergeMethod {
  /// Farther along the way that training went.
  static let expo = MergeMethod(
    "expo", "M + α (M − W₀) with M the mean of the models: beyond them, away from the base",
    source: "https://arxiv.org/abs/2404.16792", base: .required, models: 1...,
    parameters: [.number("alpha", default: 0.1, "how much farther; 0 is the mean of the models")], traits: .elementwise
  ) { models, base, settings in
    let (base, deltas) = try TaskVectors.of(models, base)
    let factor = try (1 + settings.number("alpha")) / Double(models.count)
    return try deltas.reduce(base) { try $0 + $1 * factor }
  }
}
