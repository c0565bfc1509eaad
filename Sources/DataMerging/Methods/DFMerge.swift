import Checkpoints
import Foundation
import Merging
import Search
import Torch
import Weights

extension DataMethod {
  /// Fisher merging of models moved along their task vectors, as far as serves the merge best.
  static let dfMerge = DataMethod(
    MergeMethod(
      "df_merge",
      "as fisher, for the models W₀ + λᵢδᵢ with the λᵢ that score best on the data, found by Bayesian optimisation",
      source: "https://arxiv.org/abs/2504.18992", base: .required, models: 2..., data: .labelledExamples,
      parameters: FisherMerge.parameters + [
        .integer("evaluations", from: 1, default: 30, "how many merges are scored"),
        .number("lowest", default: 0, "the least λ"), .number("highest", default: 1, "the greatest λ"),
      ], traits: .random)
  ) { merge in
    let (low, high) = try (merge.settings.number("lowest"), merge.settings.number("highest"))
    guard low < high else { throw MergeError("df_merge: lowest is \(low) and highest \(high); it must be above") }
    let count = try Int(merge.settings.number("evaluations"))
    let space = try SearchSpace(merge.models.indices.map { .number("lambda.\($0)", from: low, to: high) })
    var minimiser = Minimiser(space, by: .gaussianProcess, seed: merge.seed)
    var best: (score: Double, weights: Weights, lambdas: [Double])?
    var scores: [Double] = []
    for index in 0..<count {
      merge.progress("scoring merges", index, count)
      // Whole models are a point that everybody would try.
      let lambdas = index == 0 ? merge.models.map { _ in min(high, max(low, 1)) } : minimiser.ask()
      let weights = try merge.completed(dynamicFisherMerge(merge, lambdas))
      let score = try merge.score(weights)
      minimiser.tell(lambdas, -score)
      scores.append(score)
      if score > best?.score ?? -.infinity { best = (score, weights, lambdas) }
    }
    guard let best else { throw MergeError("df_merge: no merge could be scored") }
    let text = best.lambdas.map { String(format: "%.3f", $0) }.joined(separator: ", ")
    return DataMergeResult(
      best.weights, notes: [String(format: "λ = %@ scores %.2f %%, the best of %d", text, best.score * 100, count)],
      findings: ["lambda": best.lambdas, "score": [best.score], "scores": scores])
  }
}

/// The Fisher merge of W₀ + λᵢδᵢ, each with the information that it has there.
func dynamicFisherMerge(_ merge: DataMerge, _ lambdas: [Double]) throws -> Weights {
  guard let base = merge.base else { throw MergeError("df_merge needs the base") }
  let models = try zip(merge.models, lambdas).map { model, lambda in try base.interpolated(to: model, at: lambda) }
  let fishers = try models.enumerated().map { try FisherMerge.fisher(merge, $0, $1, reports: false) }
  return try FisherMerge.merged(merge, models, fishers)
}
