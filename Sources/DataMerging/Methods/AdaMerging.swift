import Checkpoints
import Merging
import Torch
import Weights

extension DataMethod {
  /// Coefficients that make the merged network sure of itself.
  static let adaMerging = DataMethod(
    MergeMethod(
      "adamerging",
      "W₀ + Σ λᵢδᵢ with the λᵢ, for each tensor or each model, that give predictions the least entropy",
      source: "https://arxiv.org/abs/2310.02575", base: .required, models: 1..., data: .examples,
      parameters: [
        .choice("coefficients", of: ["layer", "task"], "a λ for each tensor of each model, or one for each model"),
        .number("start", default: 0.3, "λ at the start"),
        .number("rate", from: 0, default: 1e-3, "Adam's learning rate"),
        .integer("steps", from: 0, default: 1000, "how many steps"),
        .integer("batch", from: 1, default: 16, "how many examples of each dataset a step looks at"),
      ], traits: .random)
  ) { merge in
    guard let base = merge.base else { throw MergeError("adamerging needs the base") }
    let settings = merge.settings
    let (names, steps) = (merge.trainable, try Int(settings.number("steps")))
    let batch = try Int(settings.number("batch"))
    let isTaskWise = try settings.number("coefficients") == 1
    let statistics = try merge.averaged { !names.contains($0) }
    let deltas = try merge.models.map { model in
      try names.map { name in
        guard let tensor = model[name], let start = base[name] else { throw MergeError("\(name): is missing") }
        return try tensor.to(.float64) - start.to(.float64)
      }
    }
    let columns = isTaskWise ? 1 : names.count
    var factors = [Double](repeating: try settings.number("start"), count: merge.models.count * columns)
    var adam = ScalarAdam(count: factors.count, rate: try settings.number("rate"))

    func factor(_ model: Int, _ place: Int) -> Int { model * columns + (isTaskWise ? 0 : place) }
    func point() throws -> Weights {
      var point = statistics
      for (place, name) in names.enumerated() {
        guard let start = base[name] else { continue }
        var sum = try start.to(.float64)
        for model in deltas.indices { sum = try sum + deltas[model][place] * factors[factor(model, place)] }
        point[name] = try sum.to(start.dtype)
      }
      return point
    }

    var entropy: [Double] = []
    for step in 0..<steps {
      merge.progress("adapting", step, steps)
      let here = try withoutGradients { try point() }
      var slopes = [Double](repeating: 0, count: factors.count)
      var losses = 0.0
      for task in merge.tasks.indices {
        let leaves = try names.map { name in
          guard let leaf = try here[name]?.detach() else { throw MergeError("\(name): is no parameter of the network") }
          try leaf.setRequiresGradient(true)
          return leaf
        }
        var moved = here
        for (name, leaf) in zip(names, leaves) { moved[name] = leaf }
        let inputs = try merge.batch(task, step: step, size: batch)
        let loss = try merge.at(moved, task: task) { try meanEntropy($0(inputs, .evaluation)) }
        let found = try gradients(of: loss, withRespectTo: leaves)
        losses += try loss.detach().item()
        try withoutGradients {
          for (place, gradient) in found.enumerated() {
            let wide = try gradient.to(.float64)
            for model in deltas.indices {
              slopes[factor(model, place)] += try (wide * deltas[model][place]).sum().item()
            }
          }
        }
      }
      adam.step(&factors, slopes)
      entropy.append(losses / Double(merge.tasks.count))
    }
    let weights = try withoutGradients { try point() }
    var findings: [String: [Double]] = ["entropy": entropy]
    for model in merge.models.indices {
      findings["lambda.\(model)"] = Array(factors[model * columns..<(model + 1) * columns])
    }
    return DataMergeResult(weights, findings: findings)
  }
}

/// The mean over examples of −Σ p log p, nats; logits [..., classes].
private func meanEntropy(_ logits: Tensor) throws -> Tensor {
  let probabilities = try logits.to(.float32).softmax(-1)
  // The small number keeps the logarithm finite.
  return try -(probabilities * (probabilities + 1e-8).log()).sum([-1]).mean()
}

/// Adam for a few numbers (Kingma and Ba 2015).
private struct ScalarAdam {
  private let rate: Double
  private var averages, squares: [Double]
  private var powers = (first: 1.0, second: 1.0)

  init(count: Int, rate: Double) {
    self.rate = rate
    (averages, squares) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
  }

  mutating func step(_ values: inout [Double], _ slopes: [Double]) {
    powers = (powers.first * 0.9, powers.second * 0.999)
    for index in values.indices {
      averages[index] = 0.9 * averages[index] + 0.1 * slopes[index]
      squares[index] = 0.999 * squares[index] + 0.001 * slopes[index] * slopes[index]
      let spread = (squares[index] / (1 - powers.second)).squareRoot() + 1e-8
      values[index] -= rate * averages[index] / (1 - powers.first) / spread
    }
  }
}
