import MergeKernels

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
      var varying = topk < 1 ? try VaryingElements(inputs, part: topk) : nil
      var sums = [Double](repeating: 0, count: inputs.models.count)
      try inputs.forEachChunk { range in
        let deltas = try inputs.taskVectors(range)
        varying?.note(deltas, inputs, range)
        for (index, delta) in deltas.enumerated() {
          varying?.kept.keep(delta, range)
          sums[index] += delta.dot(delta)
        }
      }
      let energies = sums.map { $0 / Double(max(1, inputs.count)) }
      let total = energies.reduce(0, +)
      let weights = energies.map { total < 1e-6 ? 1 / Double(energies.count) : $0 / total }
      let votes = weights.map { _ in 1.0 }
      let kept = varying?.kept
      return MergePass { range, result in
        let deltas = try inputs.taskVectors(range)
        if let kept { for delta in deltas { kept.keep(delta, range) } }
        let terms = deltas.map { UnsafeRawPointer($0.elements) }
        inputs.kernels.pointee.elect(
          result.elements, terms, votes, weights, Int32(terms.count), 1e-6, range.count)
        result.add(try inputs.baseVector(range))
      }
    })

  /// The elements that vary most between the task vectors.
  private struct VaryingElements {
    private var selection: VMSelection
    let kept: NotedElements

    /// - Parameter part: how many of those that vary at all
    init(_ inputs: MergeInputs, part: Double) throws {
      kept = NotedElements(count: inputs.count)
      selection = try Magnitudes(inputs: inputs) { Self.variance(try inputs.taskVectors($0), inputs) }
        .largest(part: part)
    }

    /// Finds out about the next chunk.
    mutating func note(_ deltas: [Vector], _ inputs: MergeInputs, _ range: Range<Int>) {
      let score = Self.variance(deltas, inputs)
      // Elements that do not vary are never selected, so that 0 can tell the others.
      inputs.kernels.pointee.select(score.elements, score.elements, &selection, range.count)
      kept.note(score, range)
    }

    private static func variance(_ deltas: [Vector], _ inputs: MergeInputs) -> Vector {
      let result = inputs.vector(.score, deltas.first?.count ?? 0)
      let terms = deltas.map { UnsafeRawPointer($0.elements) }
      inputs.kernels.pointee.variance(result.elements, terms, Int32(terms.count), result.count)
      return result
    }
  }
}
