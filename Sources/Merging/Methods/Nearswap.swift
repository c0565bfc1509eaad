extension MergeMethod {
  /// Toward the model where it is near the base.
  static let nearswap = MergeMethod(
    "nearswap", "wW₁ + (1 − w) W₀ with w = t / |W₀ − W₁| (at most 1): all of the model where it is nearer than t",
    source: "https://huggingface.co/alchemonaut/QuartetAnemoi-70B-t0.0001", base: .required, models: 1..., upTo: 1,
    parameters: [.number("t", default: nil, "the distance up to which an element is taken whole")],
    arithmetic: { inputs, settings in
      let t = try settings.number("t")
      return MergePass { range, result in
        try inputs.copyBase(to: result, range)
        inputs.kernels.pointee.nearswap(result.elements, inputs.model(0, range).elements, t, range.count)
      }
    })
}
