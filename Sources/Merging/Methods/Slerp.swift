import Foundation
import Torch

extension MergeMethod {
  /// The great circle between two tensors, each taken as one vector.
  static let slerp = MergeMethod(
    "slerp", "from the first model (t = 0) to the second (t = 1) on the great circle through them, tensor by tensor",
    source: "https://en.wikipedia.org/wiki/Slerp", base: .none, models: 2..., upTo: 2,
    parameters: [.number("t", default: nil, "the part of the second model")],
    arithmetic: { inputs, settings in
      let (a, b, t) = try (inputs.models[0], inputs.models[1], settings.number("t"))
      let norms = try (a.norm(dtype: .float64).item(), b.norm(dtype: .float64).item())
      func length(_ norm: Double) -> Double { norm > 1e-8 ? norm : 1 }
      let product = try (a.to(.float64) * b.to(.float64)).sum().item()
      let cosine = min(1, max(-1, product / (length(norms.0) * length(norms.1))))
      // Near 0° and 180° the great circle is a line, or not known.
      guard abs(cosine) <= 0.9995 else { return try (a * (1 - t)).addInPlace(b, scale: t) }
      let angle = acos(cosine)
      return try (a * (sin((1 - t) * angle) / sin(angle))).addInPlace(b, scale: sin(t * angle) / sin(angle))
    })
}
