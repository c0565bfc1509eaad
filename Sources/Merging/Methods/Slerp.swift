import Foundation

extension MergeMethod {
  /// The great circle between two tensors, each taken as one vector.
  static let slerp = MergeMethod(
    "slerp", "from the first model (t = 0) to the second (t = 1) on the great circle through them, tensor by tensor",
    source: "https://en.wikipedia.org/wiki/Slerp", base: .none, models: 2..., upTo: 2,
    parameters: [.number("t", default: nil, "the part of the second model")], traits: .startsAtBase,
    alpha: Alpha(.position, of: "t", symbol: "t"),
    arithmetic: { inputs, settings in
      let t = try settings.number("t")
      return try Combination.pass(inputs, .models) { products in
        func length(_ model: Int) -> Double { products.norm(model) > 1e-8 ? products.norm(model) : 1 }
        let cosine = min(1, max(-1, products[0, 1] / (length(0) * length(1))))
        // Near 0° and 180° the great circle is a line, or not known.
        guard abs(cosine) <= 0.9995 else { return [1 - t, t] }
        let angle = acos(cosine)
        return [sin((1 - t) * angle) / sin(angle), sin(t * angle) / sin(angle)]
      }
    })
}
