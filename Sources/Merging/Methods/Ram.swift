extension MergeMethod {
  private static let activity = MergeParameter.number(
    "epsilon", from: 0, default: 1e-5, "a model takes part in an element where its task vector exceeds this")

  /// What one model alone changed stays as it is; what several changed is averaged.
  static let ram = MergeMethod(
    "ram", "W₀ + the mean, element by element, of the task vectors that are not 0 there",
    source: "https://arxiv.org/abs/2601.13572", base: .required, models: 1..., parameters: [activity],
    arithmetic: { inputs, settings in
      try reinforced(inputs, settings, factors: inputs.models.map { _ in 1 })
    })

  /// The same, with what one model alone changed made stronger.
  static let ramPlus = MergeMethod(
    "ramplus_tl",
    "as ram, with what one model alone changed × 1 + r · (elements it shares ÷ elements it alone has, at most alpha)",
    source: "https://arxiv.org/abs/2601.13572", base: .required, models: 1...,
    parameters: [
      activity, .number("r", default: 0.1, "how much stronger"),
      .number("alpha", from: 0, default: 0.2, "the largest ratio that counts"),
    ],
    arithmetic: { inputs, settings in
      let (r, alpha, epsilon) = try (
        settings.number("r"), settings.number("alpha"), settings.number("epsilon")
      )
      var shared = [UInt64](repeating: 0, count: inputs.models.count)
      var unique = shared
      try inputs.forEachChunk { range in
        let terms = try inputs.taskVectors(range).map { UnsafeRawPointer($0.elements) }
        inputs.kernels.pointee.countActive(terms, Int32(terms.count), epsilon, &shared, &unique, range.count)
      }
      // Without elements of its own a model has none to strengthen.
      let factors = zip(shared, unique).map { 1 + r * ($1 == 0 ? 0 : min(Double($0) / Double($1), alpha)) }
      return try reinforced(inputs, settings, factors: factors)
    })

  private static func reinforced(_ inputs: MergeInputs, _ settings: MergeSettings, factors: [Double]) throws
    -> MergePass
  {
    let epsilon = try settings.number("epsilon")
    return MergePass { range, result in
      let terms = try inputs.taskVectors(range).map { UnsafeRawPointer($0.elements) }
      inputs.kernels.pointee.reinforce(
        result.elements, terms, factors, Int32(terms.count), epsilon, range.count)
      try inputs.addBase(to: result, range)
    }
  }
}
