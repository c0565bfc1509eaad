import MergeKernels

/// How much of a task vector is kept, and which part.
enum Sparsification {
  /// The ⌊density · n⌋ (at least one) largest by magnitude (TIES).
  case magnitude(density: Double)
  /// Each with probability `density` (DARE).
  case random(density: Double)
  /// The ⌊density · n⌋ largest of those that are left without the ⌊γ n⌋ largest (breadcrumbs).
  case withoutOutliers(density: Double, gamma: Double)
  /// Each with probability density ± ε, rising with its rank by magnitude within its row (DELLA).
  case ranked(density: Double, epsilon: Double)

  /// As large as the largest ⌊density · n⌋ of the whole model.
  case ofModel(VMSelection)

  private var density: Double {
    switch self {
    case .magnitude(let density), .random(let density): density
    case .withoutOutliers(let density, _), .ranked(let density, _): density
    // For all that is known, neither everything nor nothing of a tensor.
    case .ofModel: 0.5
    }
  }

  /// What a chunk has to hold whole.
  func group(_ inputs: MergeInputs) -> Int {
    guard case .ranked = self, density > 0, density < 1 else { return 1 }
    return max(1, inputs.shape.count < 2 ? inputs.count : inputs.count / max(1, inputs.shape[0]))
  }

  /// What is known of each model's task vector, after as many passes over it as that takes. `rescale` scales what is
  /// kept to the L1 norm of the whole.
  ///
  /// The first of equal magnitudes are kept, but `withoutOutliers` takes the first for the smaller: mergekit's order
  /// where its sort is stable.
  static func prepare(
    _ sparsifications: [Sparsification], _ inputs: MergeInputs, group: Int, rescale: Bool
  ) throws -> [SparseTaskVector] {
    var vectors = try sparsifications.enumerated().map {
      SparseTaskVector(model: $0, key: inputs.randomKey(model: $0), mask: try $1.mask(inputs, $0, group), scale: 1)
    }
    // Ranks take longest to find, so they are found once.
    let open = vectors.indices.filter {
      let density = sparsifications[$0].density
      return density > 0 && density < 1 && (rescale || sparsifications[$0].isRanked)
    }
    guard !open.isEmpty else { return vectors }
    var (whole, part, counted) = (vectors.map { _ in 0.0 }, vectors.map { _ in 0.0 }, vectors)
    try inputs.forEachChunk(of: group) { range in
      for index in open {
        let delta = try inputs.taskVector(index, range)
        if case .ranked(let density, let epsilon) = sparsifications[index], case .noted(let kept) = vectors[index].mask
        {
          // Ranks run along the second axis; further axes lie between its elements.
          let length = inputs.shape.count < 2 ? inputs.count : inputs.shape[1]
          kept.noteRanked(
            delta, range, from: density - epsilon, to: density + epsilon, length: length,
            step: inputs.shape.dropFirst(2).reduce(1, *), key: vectors[index].key,
            scratch: inputs.vector(.order, 5 * length + 64))
          if rescale {
            let sums = kept.absoluteSums(delta, range)
            whole[index] += sums.all
            part[index] += sums.kept
          }
        } else {
          whole[index] += delta.absoluteSum
          counted[index].apply(to: delta, range)
          part[index] += delta.absoluteSum
        }
      }
    }
    for index in open where whole[index] >= 1e-7 && part[index] >= 1e-7 {
      vectors[index].scale = whole[index] / part[index]
    }
    return vectors
  }

  private var isRanked: Bool { if case .ranked = self { true } else { false } }

  private func mask(_ inputs: MergeInputs, _ index: Int, _ group: Int) throws -> SparseTaskVector.Mask {
    if density >= 1 { return .all }
    if density <= 0 { return .none }
    let magnitudes = Magnitudes(inputs.chunks) { try inputs.taskVector(index, $0) }
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
    case .ranked:
      return .noted(NotedElements(count: inputs.count, group: group))
    }
  }
}

/// A task vector of which a part is kept. A pass over the tensor takes a copy, which counts how far it has come.
struct SparseTaskVector {
  enum Mask {
    case all, none
    case selection(VMSelection)
    case random(Double)
    case noted(NotedElements)
  }

  let model: Int
  fileprivate let key: UInt64
  fileprivate(set) var mask: Mask
  fileprivate(set) var scale: Double

  /// The kept part of δ at `range`.
  mutating func vector(_ inputs: MergeInputs, _ range: Range<Int>) throws -> Vector {
    let delta = try inputs.taskVector(model, range)
    apply(to: delta, range)
    return delta
  }

  fileprivate mutating func apply(to delta: Vector, _ range: Range<Int>) {
    let kernels = delta.kernels.pointee
    switch mask {
    case .all: break
    case .none: delta.clear()
    case .noted(let elements): return elements.keep(delta, range, scale: scale)
    case .selection(var selection):
      kernels.select(delta.elements, delta.elements, &selection, delta.count)
      mask = .selection(selection)
    case .random(let density):
      kernels.drop(delta.elements, density, key, UInt64(range.lowerBound), delta.count)
    }
    delta.scale(by: scale)
  }
}
