extension MergeMethod {
  private static func dellaParameters(normalize: Bool) -> [MergeParameter] {
    [
      TaskVectors.weight, TaskVectors.density, TaskVectors.epsilon, TaskVectors.lambda,
      TaskVectors.normalize(normalize), TaskVectors.rescale(true),
    ]
  }

  @Sendable private static func checkDella(_ settings: MergeSettings) throws {
    for (density, epsilon) in zip(try settings.numbers("density"), try settings.numbers("epsilon"))
    where density > 0 && density < 1 && (density - epsilon <= 0 || density + epsilon >= 1) {
      throw MergeError(
        "density \(density) with epsilon \(epsilon): density − epsilon and density + epsilon must lie between 0 and 1, "
          + "as they are probabilities; choose a smaller epsilon")
    }
  }

  private static func della(
    _ inputs: MergeInputs, _ settings: MergeSettings, _ consensus: TaskVectors.Consensus
  ) throws -> MergePass {
    let (density, epsilon) = try (settings.numbers("density"), settings.numbers("epsilon"))
    return try TaskVectors.merge(inputs, settings, consensus) { .ranked(density: density[$0], epsilon: epsilon[$0]) }
  }

  /// Drop at random, the small ones rather; then the elected sign.
  static let della = MergeMethod(
    "della", "keep a random part of each task vector, large elements rather than small; then elect signs like ties",
    source: "https://arxiv.org/abs/2406.11617", base: .required, models: 1...,
    parameters: dellaParameters(normalize: true), traits: .random, check: checkDella,
    arithmetic: { try della($0, $1, .elected) })

  /// Drop at random, the small ones rather; then the sum.
  static let dellaLinear = MergeMethod(
    "della_linear", "keep a random part of each task vector, large elements rather than small; then as task_arithmetic",
    source: "https://arxiv.org/abs/2406.11617", base: .required, models: 1...,
    parameters: dellaParameters(normalize: false), traits: .random, check: checkDella,
    arithmetic: { try della($0, $1, .sum) })
}
