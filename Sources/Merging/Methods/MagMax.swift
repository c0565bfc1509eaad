extension MergeMethod {
  /// Who moved an element farthest decides it.
  static let magMax = MergeMethod(
    "magmax", "W₀ + λ · the task vector that is largest by magnitude, element by element (of equals the last)",
    source: "https://arxiv.org/abs/2407.06322", base: .required, models: 1...,
    parameters: [TaskVectors.lambda],
    arithmetic: { inputs, settings in
      let lambda = try settings.number("lambda")
      return MergePass { range, result in
        result.copy(try inputs.taskVector(0, range))
        for index in inputs.models.indices.dropFirst() {
          let delta = try inputs.taskVector(index, range)
          inputs.kernels.pointee.takeLarger(result.elements, delta.elements, range.count)
        }
        result.scale(by: lambda)
        try inputs.addBase(to: result, range)
      }
    })
}
