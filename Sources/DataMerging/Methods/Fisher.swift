import Checkpoints
import Merging
import Torch
import Weights

extension DataMethod {
  /// Parameters that the data says much about weigh more.
  static let fisher = DataMethod(
    MergeMethod(
      "fisher", "Σ wᵢFᵢ ⊙ θᵢ / Σ wᵢFᵢ with Fᵢ the diagonal Fisher information of the model on its data, plus a floor",
      source: "https://arxiv.org/abs/2111.09832", base: .none, models: 2..., data: .examples,
      parameters: FisherMerge.parameters, traits: .random)
  ) { merge in
    let fishers = try merge.models.indices.map { try FisherMerge.fisher(merge, $0, merge.models[$0]) }
    return DataMergeResult(try FisherMerge.merged(merge, merge.models, fishers))
  }
}

/// What the methods share that weigh by Fisher information.
enum FisherMerge {
  static let parameters: [MergeParameter] = [
    .number("weight", from: 0, default: 1, perModel: true, "the model's factor"),
    .integer("examples", from: 1, default: 256, "from how many examples of each dataset gradients are taken"),
    .choice(
      "labels", of: ["expected", "sampled", "given"],
      "which labels count: all by their probability, one drawn for each example, or those of the data"),
    .flag("normalize", default: true, "divide each model's information by its norm"),
    .number("floor", from: 0, default: 1e-6, "what is added to the information"),
  ]

  /// The information of the merge's model `index` standing at `point`.
  static func fisher(_ merge: DataMerge, _ index: Int, _ point: Weights, reports: Bool = true) throws -> Weights {
    let task = merge.task(of: index)
    let examples = try merge.examples(task, Int(merge.settings.number("examples")))
    let labels = try FisherLabels(rawValue: Int(merge.settings.number("labels"))) ?? .expected
    let found = try merge.at(point, task: task) { network in
      try diagonalFisher(
        of: network, on: merge.tasks[task].data, examples: examples, labels: labels,
        generator: Generator(seed: merge.seed &+ UInt64(index))
      ) { done in
        guard reports else { return }
        merge.progress("Fisher information", index * examples.count + done, merge.models.count * examples.count)
      }
    }
    return found.filter { name, _ in merge.models[0][name] != nil }
  }

  static func merged(_ merge: DataMerge, _ models: [Weights], _ fishers: [Weights]) throws -> Weights {
    try fisherWeightedMean(
      models, fishers, weights: merge.settings.numbers("weight"), normalize: merge.settings.flag("normalize"),
      floor: merge.settings.number("floor"))
  }
}

/// Σ wᵢ(Fᵢ + floor) ⊙ θᵢ / Σ wᵢ(Fᵢ + floor) for the tensors that the Fᵢ have, in float64 and rounded once.
///
/// - Parameters:
///   - models: the θᵢ
///   - fishers: the Fᵢ, in the same shapes
///   - weights: the wᵢ
///   - normalize: divide the weights by the norms of the Fᵢ over all tensors
///   - floor: what is added to every element of the Fᵢ
/// - Throws: `TorchError`
public func fisherWeightedMean(
  _ models: [Weights], _ fishers: [Weights], weights: [Double], normalize: Bool, floor: Double
) throws -> Weights {
  try withoutGradients {
    let norms = try fishers.map { try $0.norm() + floor }
    let parts = zip(weights, norms).map { normalize && $1 > 0 ? $0 / $1 : $0 }
    let scale = parts.max() ?? 1
    return try (fishers.first ?? Weights()).mapTensors { name, like in
      var (sum, total) = try (like.zerosLike(), like.zerosLike())
      for ((model, fisher), part) in zip(zip(models, fishers), parts) {
        guard let tensor = model[name], let information = fisher[name] else { continue }
        let factor = try (information.to(.float64) + floor) * (part / scale)
        (sum, total) = try (sum + factor * tensor.to(.float64), total + factor)
      }
      // Without information and floor nothing says whom to follow.
      let mean = try models.compactMap { try $0[name]?.to(.float64) }.reduce(like.zerosLike()) { try $0 + $1 }
      let merged = try (sum / total).selected(where: total.greater(0), otherwise: mean / Double(models.count))
      return try merged.to(models[0][name]?.dtype ?? .float32)
    }
  }
}
