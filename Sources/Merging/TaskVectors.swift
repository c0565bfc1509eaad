import Torch

/// What the methods on task vectors share: W₀ + λ · (a sum of sparse weighted task vectors).
enum TaskVectors {
  static let source = "https://arxiv.org/abs/2212.04089"
  static let weight = MergeParameter.number("weight", default: 1, perModel: true, "the model's factor")
  static let lambda = MergeParameter.number("lambda", default: 1, "the factor of the merged task vector")
  static let density = MergeParameter.number(
    "density", from: 0, to: 1, default: 1, perModel: true, "the part of the task vector's elements that is kept")
  static let gamma = MergeParameter.number(
    "gamma", from: 0, to: 1, default: 0.01, perModel: true, "the part of the largest elements that is dropped first")
  static let epsilon = MergeParameter.number(
    "epsilon", from: 0, to: 0.5, default: 0.15, perModel: true,
    "an element is kept with probability density − epsilon (the smallest of a row) … density + epsilon (the largest)")
  static func normalize(_ value: Bool) -> MergeParameter {
    .flag("normalize", default: value, "divide by the sum of the weights (of the models that take part)")
  }
  static func rescale(_ value: Bool) -> MergeParameter {
    .flag("rescale", default: value, "scale what is kept of a task vector to the L1 norm of the whole")
  }

  /// δᵢ made sparse by `sparsification` of model i.
  static func sparse(
    _ inputs: MergeInputs, _ settings: MergeSettings, by sparsification: (Int) throws -> Sparsification
  ) throws -> [Tensor] {
    let rescale = try settings.flag("rescale")
    return try inputs.taskVectors().enumerated().map { model, delta in
      try sparsification(model).apply(to: delta, rescale: rescale, generator: inputs.generator(model: model))
    }
  }

  /// W₀ + λ Σ wᵢδᵢ, divided by Σ wᵢ if `normalize`.
  static func sum(_ deltas: [Tensor], _ inputs: MergeInputs, _ settings: MergeSettings) throws -> Tensor {
    let weights = try settings.numbers("weight")
    let total = weights.reduce(0, +)
    let divisor = try settings.flag("normalize") && abs(total) >= 1e-8 ? total : 1
    let factor = try settings.number("lambda") / divisor
    let result = try inputs.requireBase().clone()
    for (delta, weight) in zip(deltas, weights) { try result.addInPlace(delta, scale: weight * factor) }
    return result
  }

  /// As `sum`, but of the terms wᵢδᵢ only those that have the sign of their sum (+ where that is 0), element by element; `normalize` divides by
  /// the weights of these.
  static func consensus(_ deltas: [Tensor], _ inputs: MergeInputs, _ settings: MergeSettings) throws -> Tensor {
    let weights = try settings.numbers("weight")
    let terms = try zip(deltas, weights).map { try $0 * $1 }
    let masks = try agreement(terms)
    let base = try inputs.requireBase()
    let (merged, divisor) = try (base.zerosLike(), base.zerosLike())
    for (index, mask) in masks.enumerated() {
      try merged.addInPlace(terms[index] * mask)
      try divisor.addInPlace(mask, scale: weights[index])
    }
    if try settings.flag("normalize") {
      try merged.divideInPlace(divisor.onesLike().selected(where: divisor.equals(0.0), otherwise: divisor))
    }
    return try base + merged * settings.number("lambda")
  }

  /// For each term 1 where its sign is that of the terms' sum, else 0; a term of 0 never agrees.
  static func agreement(_ terms: [Tensor]) throws -> [Tensor] {
    guard let first = terms.first else { return [] }
    // In float64, so that terms that cancel do so in any order.
    let sum = try terms.dropFirst().reduce(first.to(.float64)) { try $0 + $1.to(.float64) }
    let positive = try sum.greaterOrEqual(0.0)
    return try terms.map { term in
      let agrees = try term.greater(0.0).and(positive).or(term.less(0.0).and(positive.not()))
      return try agrees.to(term.dtype)
    }
  }
}
