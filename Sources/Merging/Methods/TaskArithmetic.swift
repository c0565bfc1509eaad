extension MergeMethod {
  /// W₀ + λ Σ wᵢδᵢ
  static let taskArithmetic = MergeMethod(
    "task_arithmetic", "W₀ + λ Σ wᵢδᵢ", source: TaskVectors.source, base: .required, models: 1...,
    parameters: [TaskVectors.weight, TaskVectors.lambda, TaskVectors.normalize(false)],
    alpha: Alpha(.scale, of: "lambda", symbol: "α"),
    arithmetic: { try TaskVectors.merge($0, $1, .sum) })
}
