extension MergeMethod {
  /// Select what varies, calculate weights from energy, erase minority signs.
  static let sce = MergeMethod(
    "sce",
    "keep the elements that vary most between task vectors, weigh models by mean square, drop signs of the minority",
    source: "https://arxiv.org/abs/2408.07990", base: .required, models: 1...,
    parameters: [
      .number("select_topk", from: 0, to: 1, default: 1, "the part of the varying elements that is kept")
    ],
    arithmetic: { inputs, settings in
      let topk = try settings.number("select_topk")
      let kept = topk < 1 ? try varying(inputs, topk) : nil
      var sums = [Double](repeating: 0, count: inputs.models.count)
      try inputs.forEachChunk { range in
        for (index, delta) in try selected(inputs, range, kept).enumerated() { sums[index] += delta.dot(delta) }
      }
      let energies = sums.map { $0 / Double(max(1, inputs.count)) }
      let total = energies.reduce(0, +)
      let weights = energies.map { total < 1e-6 ? 1 / Double(energies.count) : $0 / total }
      let votes = weights.map { _ in 1.0 }
      return MergePass { range, result in
        let terms = try selected(inputs, range, kept).map { UnsafeRawPointer($0.elements) }
        inputs.kernels.pointee.elect(
          result.elements, terms, votes, weights, Int32(terms.count), 1e-6, range.count)
        result.add(try inputs.baseVector(range))
      }
    })

  /// The `part` of the elements that vary which vary most.
  private static func varying(_ inputs: MergeInputs, _ part: Double) throws -> NotedElements {
    var selection = try Magnitudes(inputs: inputs) { try variance(inputs, $0) }.largest(part: part)
    let kept = NotedElements(count: inputs.count)
    try inputs.forEachChunk { range in
      let score = try variance(inputs, range)
      // Elements that do not vary are never among these, so that 0 can tell the others.
      inputs.kernels.pointee.select(score.elements, score.elements, &selection, range.count)
      kept.note(score, range)
    }
    return kept
  }

  private static func variance(_ inputs: MergeInputs, _ range: Range<Int>) throws -> Vector {
    let result = inputs.vector(.score, range.count)
    let terms = try inputs.models.indices.map { UnsafeRawPointer(try inputs.taskVector($0, range).elements) }
    inputs.kernels.pointee.variance(result.elements, terms, Int32(terms.count), range.count)
    return result
  }

  private static func selected(_ inputs: MergeInputs, _ range: Range<Int>, _ kept: NotedElements?) throws -> [Vector] {
    let vectors = try inputs.models.indices.map { try inputs.taskVector($0, range) }
    if let kept { for vector in vectors { kept.keep(vector, range) } }
    return vectors
  }
}
