extension MergeMethod {
  /// The model as it is.
  static let passthrough = MergeMethod(
    "passthrough", "the only model, times scale: for putting layers together without merging them", base: .none,
    models: 1..., upTo: 1,
    parameters: [.number("scale", default: 1, perModel: true, "the model's factor")],
    traits: [.copies, .mergesStatistics],
    arithmetic: { inputs, settings in
      Combination.pass(inputs, .models, try settings.numbers("scale"))
    })
}
