import Checkpoints
import Foundation
import Merging

extension DataMethod {
  /// The mean of everything, and what it scores.
  static let uniformSoup = DataMethod(
    MergeMethod(
      "uniform_soup", "the mean of all models, with its score on the data", source: "https://arxiv.org/abs/2203.05482",
      base: .none, models: 1..., data: .labelledExamples)
  ) { merge in
    let mean = try merge.averaged()
    let score = try merge.score(mean)
    return DataMergeResult(
      mean, notes: [String(format: "the soup scores %.2f %%", score * 100)], findings: ["score": [score]])
  }

  /// The mean of the models that do it no harm.
  static let greedySoup = DataMethod(
    MergeMethod(
      "greedy_soup",
      "the mean of models taken in the order of their scores, each kept if the mean's score (accuracy) does not drop",
      source: "https://arxiv.org/abs/2203.05482", base: .none, models: 1..., data: .labelledExamples)
  ) { merge in
    let total = 2 * merge.models.count - 1
    let scores = try merge.models.enumerated().map { index, model in
      merge.progress("scoring models", index, total)
      return try merge.score(model)
    }
    let order = scores.indices.sorted { (scores[$0], $1) > (scores[$1], $0) }
    var (kept, soup, best) = ([order[0]], merge.models[order[0]], scores[order[0]])
    for (place, index) in order.dropFirst().enumerated() {
      merge.progress("adding to the soup", merge.models.count + place, total)
      let members = (kept + [index]).map { merge.models[$0] }
      let candidate = try linearMerge(members, coefficients: members.map { _ in 1 / Double(members.count) })
      let score = try merge.score(candidate)
      if score >= best { (kept, soup, best) = (kept + [index], candidate, score) }
    }
    let isKept = scores.indices.map { kept.contains($0) ? 1.0 : 0.0 }
    return DataMergeResult(
      soup,
      notes: [
        String(
          format: "%d of %d models are in the soup, which scores %.2f %%; the best of them alone %.2f %%", kept.count,
          scores.count, best * 100, (scores.max() ?? 0) * 100)
      ], findings: ["score": [best], "scores": scores, "kept": isKept])
  }
}
