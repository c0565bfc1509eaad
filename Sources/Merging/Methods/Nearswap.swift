import Torch

extension MergeMethod {
  /// Toward the model where it is near the base.
  static let nearswap = MergeMethod(
    "nearswap", "wW₁ + (1 − w) W₀ with w = t / |W₀ − W₁| (at most 1): all of the model where it is nearer than t",
    source: "https://huggingface.co/alchemonaut/QuartetAnemoi-70B-t0.0001", base: .required, models: 1..., upTo: 1,
    parameters: [.number("t", default: nil, "the distance up to which an element is taken whole")],
    traits: .elementwise
  ) { models, base, settings in
    let (base, deltas) = try TaskVectors.of(models, base)
    let distance = try deltas[0].abs().clamp(min: 1e-6)
    let weight = try (distance.onesLike() * settings.number("t") / distance).clamp(min: 0, max: 1)
    return try weight * models[0] + (1 - weight) * base
  }
}
