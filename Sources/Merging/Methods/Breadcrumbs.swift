extension MergeMethod {
  private static let breadcrumbsParameters = [
    TaskVectors.weight, TaskVectors.density, TaskVectors.gamma, TaskVectors.lambda, TaskVectors.normalize(false),
    TaskVectors.rescale(false),
  ]

  private static func crumbs(
    _ inputs: MergeInputs, _ settings: MergeSettings, _ consensus: TaskVectors.Consensus
  ) throws -> MergePass {
    let (density, gamma) = try (settings.numbers("density"), settings.numbers("gamma"))
    return try TaskVectors.merge(inputs, settings, consensus) {
      .withoutOutliers(density: density[$0], gamma: gamma[$0])
    }
  }

  /// Neither the largest nor the smallest; then the sum.
  static let breadcrumbs = MergeMethod(
    "breadcrumbs", "drop the largest of each task vector and then the smallest; then as task_arithmetic",
    source: "https://arxiv.org/abs/2312.06795", base: .required, models: 1..., parameters: breadcrumbsParameters,
    arithmetic: { try crumbs($0, $1, .sum) })

  /// Neither the largest nor the smallest; then the elected sign.
  static let breadcrumbsTies = MergeMethod(
    "breadcrumbs_ties", "drop the largest of each task vector and then the smallest; then elect signs like ties",
    source: "https://arxiv.org/abs/2312.06795", base: .required, models: 1..., parameters: breadcrumbsParameters,
    arithmetic: { try crumbs($0, $1, .elected) })
}
