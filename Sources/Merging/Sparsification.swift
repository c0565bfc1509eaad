import Torch

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

  private var density: Double {
    switch self {
    case .magnitude(let density), .random(let density): density
    case .withoutOutliers(let density, _), .ranked(let density, _): density
    }
  }

  /// `delta` with the elements not kept at 0; `rescale` scales what is kept to the L1 norm of the whole.
  ///
  /// Of equal magnitudes the first are kept, or by `withoutOutliers` are the smaller: mergekit's order where its sort is stable.
  func apply(to delta: Tensor, rescale: Bool, generator: @autoclosure () throws -> Generator) throws -> Tensor {
    if density >= 1 { return delta }
    if density <= 0 { return try delta.zerosLike() }
    let kept = try delta * mask(of: delta, generator: generator()).to(delta.dtype)
    guard rescale else { return kept }
    let whole = try delta.norm(1, dtype: .float64).item()
    let part = try kept.norm(1, dtype: .float64).item()
    return whole < 1e-7 || part < 1e-7 ? kept : try kept * (whole / part)
  }

  private func mask(of delta: Tensor, generator: @autoclosure () throws -> Generator) throws -> Tensor {
    let count = delta.count
    switch self {
    case .magnitude(let density):
      let kept = Swift.max(1, Int(density * Double(count)))
      return try smallest(kept, of: -delta.abs().flatten()).reshape(delta.shape)
    case .random(let density):
      return try Tensor.uniform(delta.shape, generator: generator(), dtype: delta.dtype).less(density)
    case .withoutOutliers(let density, let gamma):
      let magnitudes = try delta.abs().flatten()
      let kept = Int(density * Double(count))
      let dropped = Swift.max(0, count - kept - Int(gamma * Double(count)))
      let below = try smallest(dropped, of: magnitudes)
      return try smallest(dropped + kept, of: magnitudes).and(below.not()).reshape(delta.shape)
    case .ranked(let density, let epsilon):
      let rows = delta.rank < 2 ? try delta.reshape([1, -1]) : delta
      let ranks = try rows.abs().sorted(1).indices.sorted(1).indices.to(delta.dtype)
      let last = try rows.size(1) - 1
      // A row of one has no ranks: it is kept with the middle probability.
      let place = last > 0 ? try ranks / Double(last) : try ranks + 0.5
      let probability = try place * (2 * epsilon) + (density - epsilon)
      return try Tensor.uniform(rows.shape, generator: generator(), dtype: delta.dtype).less(probability)
        .reshape(delta.shape)
    }
  }
}

/// A mask [n] of the `count` smallest of `values` [n]; of equal values the first. By selection, not sorting: O(n).
func smallest(_ count: Int, of values: Tensor) throws -> Tensor {
  if count <= 0 { return try values.zerosLike().to(.bool) }
  if count >= values.count { return try values.onesLike().to(.bool) }
  let threshold = try callTensors("aten::kthvalue", values, count, 0, false)[0]
  let below = try values.less(threshold)
  let equal = try values.equals(threshold)
  let places = count - (try below.countNonzero().intItem())
  return try below.or(equal.and(equal.cumulativeSum(0).lessOrEqual(places)))
}
