extension MergeMethod {
  /// Only what is out of the ordinary in a task vector.
  static let arceeFusion = MergeMethod(
    "arcee_fusion",
    "W₀ + δ where s = |δ| · KL(softmax W₁ ‖ softmax W₀), row by row, is at least s's median + 1.5 · interquartile "
      + "range",
    source: "https://arcee.ai", base: .required, models: 1..., upTo: 1,
    arithmetic: { inputs, _ in
      let length = max(1, inputs.shape.last ?? 1)
      var divergences: [Double] = []
      divergences.reserveCapacity(inputs.count / length)
      try inputs.forEachChunk(of: length) { range in
        let (base, model) = (try inputs.baseVector(range), inputs.model(0, range))
        for row in stride(from: 0, to: range.count, by: length) {
          divergences.append(
            inputs.kernels.pointee.divergence(
              model[row..<row + length].elements, base[row..<row + length].elements, length))
        }
      }
      let rows = divergences
      func scored(_ range: Range<Int>) throws -> (delta: Vector, score: Vector) {
        let (delta, score) = (try inputs.taskVector(0, range), inputs.vector(.score, range.count))
        score.copy(delta)
        for row in stride(from: 0, to: range.count, by: length) {
          score[row..<row + length].scale(by: rows[(range.lowerBound + row) / length])
        }
        return (delta, score)
      }
      let magnitudes = Magnitudes(inputs.chunks, group: length) { try scored($0).score }
      let ranks = [0.25, 0.5, 0.75].map { Int($0 * Double(inputs.count - 1)) }
      let quartiles = try magnitudes.places(ranks).map { place in
        inputs.kernels.pointee.width == 8
          ? Double(bitPattern: place.key) : Double(Float(bitPattern: UInt32(truncatingIfNeeded: place.key)))
      }
      let threshold = quartiles[1] + 1.5 * (quartiles[2] - quartiles[0])
      return MergePass(group: length) { range, result in
        let (delta, score) = try scored(range)
        inputs.kernels.pointee.keepFrom(delta.elements, score.elements, threshold, range.count)
        try inputs.copyBase(to: result, range)
        result.add(delta)
      }
    })
}
