import Merging
import Torch

/// The streaming methods written out over plain tensors, from the formulas alone: what the kernels are compared with.
enum TensorForms {
  /// Which elements chance keeps, 1 or 0, by the model's position and each element's probability.
  typealias Chance = (_ model: Int, _ probability: Tensor) throws -> Tensor
  typealias Form =
    @Sendable (
      _ models: [Tensor], _ base: Tensor?, _ settings: MergeSettings, _ chance: Chance
    ) throws -> Tensor

  static let all: [String: Form] = [
    "linear": { models, _, settings, _ in
      let weights = try settings.numbers("weight")
      return try weightedSum(models, weights) / (settings.flag("normalize") ? weights.reduce(0, +) : 1)
    },
    "passthrough": { models, _, settings, _ in try models[0] * settings.number("scale") },
    "slerp": { models, _, settings, _ in try greatCircle(models, settings.number("t"), along: nil, flatFrom: 0.9995) },
    "nuslerp": nuslerp, "multislerp": multislerp, "karcher": karcher, "model_stock": modelStock,
    "task_arithmetic": { models, base, settings, _ in try sum(taskVectors(models, base), base, settings) },
    "ties": { models, base, settings, _ in try elected(trimmed(taskVectors(models, base), settings), base, settings) },
    "dare_linear": { try sum(dropped(taskVectors($0, $1), $2, $3), $1, $2) },
    "dare_ties": { try elected(dropped(taskVectors($0, $1), $2, $3), $1, $2) },
    "della_linear": { try sum(droppedByRank(taskVectors($0, $1), $2, $3), $1, $2) },
    "della": { try elected(droppedByRank(taskVectors($0, $1), $2, $3), $1, $2) },
    "breadcrumbs": { models, base, settings, _ in
      try sum(withoutOutliers(taskVectors(models, base), settings), base, settings)
    },
    "breadcrumbs_ties": { models, base, settings, _ in
      try elected(withoutOutliers(taskVectors(models, base), settings), base, settings)
    },
    "sce": sce, "arcee_fusion": arceeFusion,
    "ram": { models, base, settings, _ in
      try reinforced(taskVectors(models, base), base, settings, factors: models.map { _ in 1 })
    },
    "ramplus_tl": ramPlus,
  ]

  // MARK: Shared

  static func taskVectors(_ models: [Tensor], _ base: Tensor?) throws -> [Tensor] {
    try models.map { model in try base.map { try model - $0 } ?? model }
  }

  static func weightedSum(_ tensors: [Tensor], _ weights: [Double]) throws -> Tensor {
    try zip(tensors, weights).reduce(tensors[0] * 0.0) { try $0 + $1.0 * $1.1 }
  }

  private static func plus(_ base: Tensor?, _ delta: Tensor) throws -> Tensor {
    try base.map { try $0 + delta } ?? delta
  }

  private static func dot(_ a: Tensor, _ b: Tensor) throws -> Double { try (a * b).sum().item() }

  private static func norm(_ a: Tensor) throws -> Double { try dot(a, a).squareRoot() }

  /// 1 for the elements at `places` of the flattened tensor, 0 elsewhere.
  private static func mask(_ places: some Sequence<Int64>, like tensor: Tensor) throws -> Tensor {
    var elements = [Double](repeating: 0, count: tensor.count)
    for place in places { elements[Int(place)] = 1 }
    return try Tensor(elements, shape: tensor.shape)
  }

  /// Positions of the flattened tensor by magnitude; of equals the first first.
  private static func order(_ tensor: Tensor, descending: Bool) throws -> [Int64] {
    try tensor.flatten().abs().sorted(descending: descending).indices.array(Int64.self)
  }

  // MARK: Spheres

  /// sin((1 − t)θ) / sin θ · a + sin(tθ) / sin θ · b. `dimension` runs along the vectors; nil: the tensor is one.
  private static func greatCircle(_ models: [Tensor], _ t: Double, along dimension: Int?, flatFrom limit: Double) throws
    -> Tensor
  {
    let shape = models[0].shape
    let rows = dimension == 0 ? [shape[0], -1] : dimension == nil ? [1, -1] : [-1, shape[shape.count - 1]]
    let (a, b) = try (models[0].reshape(rows), models[1].reshape(rows))
    let axis = dimension == 0 ? 0 : 1
    func sum(_ x: Tensor) throws -> Tensor { try x.sum([axis], keep: true) }
    let lengths = try (sum(a * a) * sum(b * b)).sqrt().clamp(min: 1e-14)
    let cosine = try (sum(a * b) / lengths).clamp(min: -1, max: 1)
    let angle = try cosine.acos()
    let (first, second) = try ((angle * (1 - t)).sin() / angle.sin(), (angle * t).sin() / angle.sin())
    let isFlat = try cosine.abs().greater(limit)
    let factors = try (
      (first.zerosLike() + (1 - t)).selected(where: isFlat, otherwise: first),
      (second.zerosLike() + t).selected(where: isFlat, otherwise: second)
    )
    return try (a * factors.0 + b * factors.1).reshape(shape)
  }

  private static let nuslerp: Form = { models, base, settings, _ in
    let weights = try settings.numbers("weight")
    let dimension: Int? =
      try settings.flag("nuslerp_flatten") ? nil : settings.flag("nuslerp_row_wise") ? 0 : models[0].rank - 1
    let t = weights[1] / (weights[0] + weights[1])
    return try plus(base, greatCircle(taskVectors(models, base), t, along: dimension, flatFrom: 1))
  }

  private static let multislerp: Form = { models, base, settings, _ in
    let (given, epsilon) = try (settings.numbers("weight"), settings.number("eps"))
    let total = try settings.flag("normalize_weights") ? given.reduce(0, +) : 1
    let (weights, vectors) = (given.map { $0 / total }, try taskVectors(models, base))
    let units = try vectors.map { try $0 / (norm($0) + epsilon) }
    let middle = try weightedSum(units, weights)
    let mean = try middle / norm(middle)
    let tangent = try weightedSum(units.map { try $0 - mean * dot($0, mean) }, weights)
    let angle = try norm(tangent) + epsilon
    let direction = try mean * Tensor(scalar: angle).cos() + tangent / angle * Tensor(scalar: angle).sin()
    return try plus(base, direction * zip(vectors, weights).reduce(0) { try $0 + norm($1.0) * $1.1 })
  }

  private static let karcher: Form = { models, _, settings, _ in
    let norms = try models.map(norm)
    let units = try zip(models, norms).map { try $0 / $1 }
    let count = Double(models.count)
    var mean = try weightedSum(units, units.map { _ in 1 / count })
    mean = try mean / norm(mean)
    for _ in 0..<Int(try settings.number("max_iter")) {
      var tangent = try mean.zerosLike()
      for unit in units {
        let cosine = try min(1, max(-1, dot(unit, mean)))
        let angle = try Tensor(scalar: cosine).acos()
        if try angle.item() < settings.number("tol") { continue }
        tangent = try tangent + angle / angle.sin() * (unit - mean * cosine) / count
      }
      let step = try norm(tangent)
      if try step < settings.number("tol") { break }
      let angle = try Tensor(scalar: step)
      mean = try mean * angle.cos() + tangent / step * angle.sin()
      mean = try mean / norm(mean)
    }
    return try mean * (norms.reduce(0, +) / count)
  }

  private static let modelStock: Form = { models, base, settings, _ in
    let deltas = try taskVectors(models, base)
    let isWhole = try !settings.flag("filter_wise") || models[0].rank < 2
    let rows = try deltas.map { try $0.reshape(isWhole ? [1, -1] : [-1, $0.size(-1)]) }
    let count = Double(models.count)
    var cosine = try rows[0].sum([1], keep: true) * 0.0
    for (i, a) in rows.enumerated() {
      for b in rows[(i + 1)...] {
        let lengths = try ((a * a).sum([1], keep: true) * (b * b).sum([1], keep: true)).sqrt().clamp(min: 1e-6)
        cosine = try cosine + (a * b).sum([1], keep: true) / lengths * (2 / (count * (count - 1)))
      }
    }
    let t = try cosine * count / (cosine * (count - 1) + 1.0)
    return try plus(base, (t * weightedSum(rows, rows.map { _ in 1 / count })).reshape(models[0].shape))
  }

  // MARK: Task vectors

  /// W₀ + λ Σ wᵢδᵢ, divided by Σ wᵢ if `normalize`.
  private static func sum(_ deltas: [Tensor], _ base: Tensor?, _ settings: MergeSettings) throws -> Tensor {
    let weights = try settings.numbers("weight")
    let total = try settings.flag("normalize") ? weights.reduce(0, +) : 1
    return try plus(base, weightedSum(deltas, weights) * (settings.number("lambda") / total))
  }

  /// Σ of the wᵢδᵢ that have the sign of Σ wᵢδᵢ (+ where that is 0), divided by their Σ wᵢ if `normalize`.
  static func elected(_ deltas: [Tensor], _ base: Tensor?, _ settings: MergeSettings) throws -> Tensor {
    let weights = try settings.numbers("weight")
    let terms = try zip(deltas, weights).map { try $0 * $1 }
    let merged = try agreeing(terms, votes: terms, weights)
    let divisor = try merged.total.maskedFill(merged.total.equals(0.0), 1)
    return try plus(base, (settings.flag("normalize") ? merged.sum / divisor : merged.sum) * settings.number("lambda"))
  }

  /// The sum of the terms that have the sign of the sum of the votes, and of their weights.
  private static func agreeing(_ terms: [Tensor], votes: [Tensor], _ weights: [Double]) throws
    -> (sum: Tensor, total: Tensor)
  {
    let isPositive = try weightedSum(votes, votes.map { _ in 1 }).greaterOrEqual(0.0).to(.float64)
    let sign = try isPositive * 2.0 - 1.0
    let agree = try votes.map { try ($0 * sign).greater(0.0).to(.float64) }
    return (
      try weightedSum(zip(terms, agree).map { try $0 * $1 }, terms.map { _ in 1 }), try weightedSum(agree, weights)
    )
  }

  /// What is kept, scaled to the L1 norm of the whole if `rescale`.
  private static func rescaled(_ kept: Tensor, of delta: Tensor, _ settings: MergeSettings) throws -> Tensor {
    guard try settings.flag("rescale") else { return kept }
    return try kept * (delta.abs().sum() / kept.abs().sum())
  }

  private static func trimmed(_ deltas: [Tensor], _ settings: MergeSettings) throws -> [Tensor] {
    try zip(deltas, settings.numbers("density")).map { delta, density in
      let largest = try order(delta, descending: true).prefix(max(1, Int(density * Double(delta.count))))
      return try rescaled(delta * mask(largest, like: delta), of: delta, settings)
    }
  }

  private static func withoutOutliers(_ deltas: [Tensor], _ settings: MergeSettings) throws -> [Tensor] {
    let (densities, gammas) = try (settings.numbers("density"), settings.numbers("gamma"))
    return try zip(deltas, zip(densities, gammas)).map { delta, parts in
      let rest = try order(delta, descending: false).dropLast(Int(parts.1 * Double(delta.count)))
      let kept = rest.suffix(Int(parts.0 * Double(delta.count)))
      return try rescaled(delta * mask(kept, like: delta), of: delta, settings)
    }
  }

  private static func dropped(_ deltas: [Tensor], _ settings: MergeSettings, _ chance: Chance) throws -> [Tensor] {
    let densities = try settings.numbers("density")
    return try deltas.enumerated().map { index, delta in
      let kept = try delta * chance(index, delta.zerosLike() + densities[index])
      return try rescaled(kept, of: delta, settings)
    }
  }

  /// Ranks run along the second axis; a vector is one row.
  private static func droppedByRank(
    _ deltas: [Tensor], _ settings: MergeSettings, _ chance: Chance
  ) throws -> [Tensor] {
    let (densities, epsilons) = try (settings.numbers("density"), settings.numbers("epsilon"))
    return try deltas.enumerated().map { index, delta in
      let axis = delta.rank < 2 ? 0 : 1
      let order = try delta.abs().sorted(axis).indices
      let ranks = try order.sorted(axis).indices.to(.float64) / Double(delta.size(axis) - 1)
      let probability = try ranks * (2 * epsilons[index]) + (densities[index] - epsilons[index])
      return try rescaled(delta * chance(index, probability), of: delta, settings)
    }
  }

  private static let sce: Form = { models, base, settings, _ in
    let deltas = try taskVectors(models, base)
    let variance = try Tensor.stack(deltas).variance([0], correction: 0)
    let kept = try Int(Double(variance.countNonzero().intItem()) * settings.number("select_topk"))
    // Rounded, so that what is equal but for the way it was computed is equal.
    let selected = try mask(order(variance.to(.float32), descending: true).prefix(kept), like: variance)
    let isAll = try settings.number("select_topk") >= 1
    let terms = try deltas.map { try isAll ? $0 : $0 * selected }
    let energies = try terms.map { try $0.square().mean().item() }
    let weights = energies.map { $0 / energies.reduce(0, +) }
    let merged = try agreeing(zip(terms, weights).map { try $0 * $1 }, votes: terms, weights)
    return try plus(base, merged.sum / merged.total.clamp(min: 1e-6))
  }

  private static func reinforced(
    _ deltas: [Tensor], _ base: Tensor?, _ settings: MergeSettings, factors: [Double]
  ) throws -> Tensor {
    let active = try deltas.map { try $0.abs().greater(settings.number("epsilon")).to(.float64) }
    let terms = try zip(deltas, active).map { try $0 * $1 }
    let count = try weightedSum(active, active.map { _ in 1 })
    let mean = try weightedSum(terms, terms.map { _ in 1 }) / count.clamp(min: 1)
    return try plus(base, mean.selected(where: count.greater(1.0), otherwise: weightedSum(terms, factors)))
  }

  private static let ramPlus: Form = { models, base, settings, _ in
    let deltas = try taskVectors(models, base)
    let active = try deltas.map { try $0.abs().greater(settings.number("epsilon")).to(.float64) }
    let count = try weightedSum(active, active.map { _ in 1 })
    let factors = try active.map { own in
      let unique = try (own * count.equals(1.0).to(.float64)).sum().item()
      let shared = try own.sum().item() - unique
      return try unique == 0 ? 1 : 1 + settings.number("r") * min(shared / unique, settings.number("alpha"))
    }
    return try reinforced(deltas, base, settings, factors: factors)
  }

  private static let arceeFusion: Form = { models, base, settings, _ in
    let (delta, rows) = (try taskVectors(models, base)[0], [-1, max(1, models[0].shape.last ?? 1)])
    func probabilities(_ tensor: Tensor) throws -> Tensor { try tensor.reshape(rows).softmax(-1) + 1e-8 }
    let (p, q) = try (probabilities(models[0]), probabilities(base ?? models[0]))
    let divergence = try (p * (p / q).log()).sum([1], keep: true)
    let score = try (delta.reshape(rows).abs() * divergence).reshape(delta.shape)
    let sorted = try score.flatten().sorted().values.array(Double.self)
    let quartiles = [0.25, 0.5, 0.75].map { sorted[Int($0 * Double(sorted.count - 1))] }
    let threshold = quartiles[1] + 1.5 * (quartiles[2] - quartiles[0])
    return try plus(base, delta * score.greaterOrEqual(threshold).to(.float64))
  }
}
