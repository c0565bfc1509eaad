import Foundation

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
    alpha: Alpha(.position, of: "weight", symbol: "t"),
    arithmetic: { inputs, settings in
      let weights = try settings.numbers("weight")
      let total = weights[0] + weights[1]
      let t = abs(total) < 1e-6 ? 0.5 : weights[1] / total
      let isWhole = try settings.flag("nuslerp_flatten") || inputs.shape.isEmpty
      let extent: Combination.Extent =
        isWhole ? .tensor : try settings.flag("nuslerp_row_wise") ? .columns : .rows
      return try Combination.pass(inputs, inputs.base == nil ? .models : .taskVectors, over: extent) { products in
        let lengths = (max(products.norm(0), 1e-7), max(products.norm(1), 1e-7))
        let cosine = min(1, max(-1, products[0, 1] / (lengths.0 * lengths.1)))
        // Where the great circle is a line, or not known.
        guard 1 - cosine * cosine > 1e-16 else { return [1 - t, t] }
        let angle = acos(cosine)
        return [sin((1 - t) * angle) / sin(angle), sin(t * angle) / sin(angle)]
      }
    })
}
