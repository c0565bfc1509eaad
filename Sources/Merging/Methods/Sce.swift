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
      let varying = topk < 1 ? try VaryingElements(inputs, part: topk) : nil
      let energies = try varying?.energies ?? energies(inputs) { delta, _ in delta.dot(delta) }
      let total = energies.reduce(0, +)
      let weights = energies.map { total < 1e-6 ? 1 / Double(energies.count) : $0 / total }
      let votes = weights.map { _ in 1.0 }
      return MergePass { range, result in
        let terms = try inputs.taskVectors(range).map { UnsafeRawPointer($0.elements) }
        inputs.kernels.pointee.elect(
          result.elements, terms, votes, weights, Int32(terms.count), 1e-6, range.count)
        varying?.kept.keep(result, range)
        try inputs.addBase(to: result, range)
      }
    })

  /// The mean square of each task vector's elements. `squares` adds up those of its part at a range, after `prepare`.
  private static func energies(
    _ inputs: MergeInputs, prepare: ([Vector], Range<Int>) -> Void = { _, _ in },
    squares: (Vector, Range<Int>) -> Double
  ) throws -> [Double] {
    var sums = [Double](repeating: 0, count: inputs.models.count)
    try inputs.forEachChunk { range in
      let deltas = try inputs.taskVectors(range)
      prepare(deltas, range)
      for (index, delta) in deltas.enumerated() { sums[index] += squares(delta, range) }
    }
    return sums.map { $0 / Double(max(1, inputs.count)) }
  }

  /// The elements that vary most between the task vectors.
  private struct VaryingElements {
    let kept: NotedElements
    /// The mean squares where all other elements count as 0.
    let energies: [Double]

    /// - Parameter part: how many of those that vary at all
    init(_ inputs: MergeInputs, part: Double) throws {
      var deltas: [Vector] = []
      let magnitudes = Magnitudes(inputs.chunks) {
        deltas = try inputs.taskVectors($0)
        return Self.variance(deltas, inputs)
      }
      if let (noted, sums) = try magnitudes.noteLargest(part: part, beside: { _ in deltas }) {
        (kept, energies) = (noted, sums.map { $0 / Double(inputs.count) })
        return
      }
      var selection = try magnitudes.largest(part: part)
      let noted = NotedElements(count: inputs.count)
      energies = try MergeMethod.energies(inputs) { deltas, range in
        let score = Self.variance(deltas, inputs)
        // Elements that do not vary are never selected, so that 0 can tell the others.
        inputs.kernels.pointee.select(score.elements, score.elements, &selection, range.count)
        noted.note(score, range)
      } squares: {
        noted.squares($0, $1)
      }
      kept = noted
    }

    private static func variance(_ deltas: [Vector], _ inputs: MergeInputs) -> Vector {
      let result = inputs.vector(.score, deltas.first?.count ?? 0)
      let terms = deltas.map { UnsafeRawPointer($0.elements) }
      inputs.kernels.pointee.variance(result.elements, terms, Int32(terms.count), result.count)
      return result
    }
  }
}
