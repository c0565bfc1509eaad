extension MergeMethod {
  private static let dareParameters = [
    TaskVectors.weight, TaskVectors.density, TaskVectors.lambda, TaskVectors.normalize(false),
    TaskVectors.rescale(true),
  ]

  private static func dare(
    _ inputs: MergeInputs, _ settings: MergeSettings, _ consensus: TaskVectors.Consensus
  ) throws -> MergePass {
    let density = try settings.numbers("density")
    return try TaskVectors.merge(inputs, settings, consensus) { .random(density: density[$0]) }
  }

  /// Drop at random and rescale; then the sum.
  static let dareLinear = MergeMethod(
    "dare_linear", "keep a random part of each task vector, scaled up to its L1 norm; then as task_arithmetic",
    source: "https://arxiv.org/abs/2311.03099", base: .required, models: 1..., parameters: dareParameters,
    traits: .random, arithmetic: { try dare($0, $1, .sum) })

  /// Drop at random and rescale; then the elected sign.
  static let dareTies = MergeMethod(
    "dare_ties", "keep a random part of each task vector, scaled up to its L1 norm; then elect signs like ties",
    source: "https://arxiv.org/abs/2311.03099", base: .required, models: 1..., parameters: dareParameters,
    traits: .random, arithmetic: { try dare($0, $1, .elected) })
}
