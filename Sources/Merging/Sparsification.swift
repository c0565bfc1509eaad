import MergeKernels

/// How much of a task vector is kept, and which part.
enum Sparsification {
  /// The ⌊density · n⌋ (at least one) largest by magnitude (TIES).
  case magnitude(density: Double)
  /// Each with probability `density` (DARE).
  case random(density: Double)
  /// Without the ⌊γ n⌋ largest, then the ⌊density · n⌋ largest of the rest (breadcrumbs).
  case withoutOutliers(density: Double, gamma: Double)
  /// Each with probability density ± ε, rising with its rank by magnitude within its row (DELLA).
  case ranked(density: Double, epsilon: Double)

  /// As large as the largest ⌊density · n⌋ of the whole model.
  case ofModel(VMSelection)

  private var density: Double {
    switch self {
    case .magnitude(let density), .random(let density): density
    case .withoutOutliers(let density, _), .ranked(let density, _): density
    // Neither everything nor nothing of a tensor, as far as is known.
    case .ofModel: 0.5
    }
  }

  /// What a chunk has to hold whole.
  func group(_ inputs: MergeInputs) -> Int {
    guard case .ranked = self, density > 0, density < 1 else { return 1 }
    return max(1, inputs.shape.count < 2 ? inputs.count : inputs.count / max(1, inputs.shape[0]))
  }

  /// What is known of model `index`'s task vector after as many passes over it as that takes. `rescale` scales what is kept to the L1
  /// norm of the whole.
  ///
  /// Of equal magnitudes the first are kept, or by `withoutOutliers` are the smaller: mergekit's order where its sort is stable.
  func prepared(_ inputs: MergeInputs, model index: Int, group: Int, rescale: Bool) throws -> SparseTaskVector {
    var vector = SparseTaskVector(model: index, mask: try mask(inputs, index), scale: 1)
    guard rescale, density > 0, density < 1 else { return vector }
    var (whole, part, counted) = (0.0, 0.0, vector)
    var noted: NotedElements?
    if case .ranked = self { noted = NotedElements(count: inputs.count, group: group) }
    try inputs.forEachChunk(of: group) { range in
      let delta = try inputs.taskVector(index, range)
      whole += delta.absoluteSum
      counted.apply(to: delta, inputs, range)
      part += delta.absoluteSum
      noted?.note(delta, range)
    }
    if whole >= 1e-7, part >= 1e-7 { vector.scale = whole / part }
    // Ranks take longest of all.
    if let noted { vector.mask = .noted(noted) }
    return vector
  }

  private func mask(_ inputs: MergeInputs, _ index: Int) throws -> SparseTaskVector.Mask {
    if density >= 1 { return .all }
    if density <= 0 { return .none }
    let magnitudes = Magnitudes(inputs: inputs) { try inputs.taskVector(index, $0) }
    switch self {
    case .magnitude(let density):
      return .selection(try magnitudes.largest(max(1, Int(density * Double(inputs.count)))))
    case .random(let density):
      return .random(density)
    case .withoutOutliers(let density, let gamma):
      let kept = Int(density * Double(inputs.count))
      let dropped = max(0, inputs.count - kept - Int(gamma * Double(inputs.count)))
      return .selection(try magnitudes.ranked(dropped..<dropped + kept))
    case .ofModel(let selection):
      return .selection(selection)
    case .ranked(let density, let epsilon):
      return .ranked(lowest: density - epsilon, highest: density + epsilon)
    }
  }
}

/// A task vector of which a part is kept. A pass over the tensor takes a copy, which counts where it has come to.
struct SparseTaskVector {
  enum Mask {
    case all, none
    case selection(VMSelection)
    case random(Double)
    case ranked(lowest: Double, highest: Double)
    case noted(NotedElements)
  }

  let model: Int
  fileprivate(set) var mask: Mask
  fileprivate(set) var scale: Double

  /// The kept part of δ at `range`.
  mutating func vector(_ inputs: MergeInputs, _ range: Range<Int>) throws -> Vector {
    let delta = try inputs.taskVector(model, range)
    apply(to: delta, inputs, range)
    delta.scale(by: scale)
    return delta
  }

  fileprivate mutating func apply(to delta: Vector, _ inputs: MergeInputs, _ range: Range<Int>) {
    let kernels = delta.kernels.pointee
    switch mask {
    case .all: break
    case .none: delta.clear()
    case .noted(let elements): elements.keep(delta, range)
    case .selection(var selection):
      kernels.select(delta.elements, delta.elements, &selection, delta.count)
      mask = .selection(selection)
    case .random(let density):
      kernels.drop(
        delta.elements, density, inputs.randomKey(model: model), UInt64(range.lowerBound), delta.count)
    case .ranked(let lowest, let highest):
      // Ranks run along the second axis; further axes lie between its elements.
      let length = inputs.shape.count < 2 ? inputs.count : inputs.shape[1]
      let step = inputs.shape.dropFirst(2).reduce(1, *)
      let scratch = inputs.vector(.order, 4 * length)
      let key = inputs.randomKey(model: model)
      for start in stride(from: 0, to: delta.count, by: max(1, length * step)) {
        for offset in start..<start + step {
          kernels.dropRanked(
            delta[offset..<delta.count].elements, lowest, highest, key, UInt64(range.lowerBound + offset), length,
            step, scratch.elements)
        }
      }
    }
  }
}
