extension MergeMethod {
  /// Between the base and the mean, nearer the mean the more the task vectors point one way.
  static let modelStock = MergeMethod(
    "model_stock",
    "t · mean(Wᵢ) + (1 − t) W₀ with t = Nc / (1 + (N − 1) c), c the mean cosine between the N task vectors",
    source: "https://arxiv.org/abs/2403.19522", base: .required, models: 2...,
    parameters: [.flag("filter_wise", default: false, "a t for each row (last axis) instead of one for the tensor")],
    arithmetic: { inputs, settings in
      let extent: Combination.Extent = try settings.flag("filter_wise") && inputs.shape.count > 1 ? .rows : .tensor
      return try Combination.pass(inputs, .taskVectors, over: extent) { products in
        let count = products.count
        var cosine = 0.0
        for i in 0..<count {
          for j in i + 1..<max(count, i + 1) {
            cosine += min(1, max(-1, products[i, j] / max(products.norm(i) * products.norm(j), 1e-6)))
          }
        }
        cosine *= 2 / Double(count * (count - 1))
        let denominator = 1 + Double(count - 1) * cosine
        // Task vectors that cancel leave the base.
        let t = abs(denominator) < 1e-6 ? 0 : Double(count) * cosine / denominator
        return [Double](repeating: t / Double(count), count: count)
      }
    })
}
