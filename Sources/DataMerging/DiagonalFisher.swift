import Checkpoints
import Datasets
import Networks
import Torch
import Weights

/// The labels whose log-likelihood the Fisher information is about.
public enum FisherLabels: Int, Sendable, CaseIterable {
  /// Every label by its probability under the network: exact, at one gradient a class and example.
  case expected
  /// One label an example, drawn from the network's prediction.
  case sampled
  /// The data's labels: the empirical Fisher.
  case given
}

/// The diagonal of the Fisher information, E (∂ log p(y | x) / ∂θ)² over examples and labels, by the name of each
/// trained parameter. Gradients are those of single examples; the network works in evaluation mode and its weights
/// stay.
///
/// - Parameters:
///   - network: a classifier whose trained parameters are asked about
///   - source: the data
///   - examples: places in the source
///   - labels: whose log-likelihood it is
///   - generator: draws labels
///   - progress: told how many examples are done
/// - Returns: float64 tensors in the shapes of the parameters
/// - Throws: `TorchError`, and what reading the data throws.
public func diagonalFisher(
  of network: any Module, on source: any ExampleSource, examples: [Int], labels: FisherLabels, generator: Generator,
  progress: (_ done: Int) -> Void = { _ in }
) throws -> Weights {
  let parameters = network.parameters().filter(\.parameter.isTrainable)
  // Leaves of the network's own: setting their flag must not touch the caller's tensors.
  for (_, parameter) in parameters {
    parameter.value = try parameter.value.detach().clone()
    try parameter.value.setRequiresGradient(true)
  }
  let leaves = parameters.map(\.parameter.value)
  defer { for leaf in leaves { try? leaf.setRequiresGradient(false) } }
  let sums = try leaves.map { try Tensor.zeros($0.shape, dtype: .float64, device: $0.device) }
  func add(_ likelihood: Tensor, _ weight: Double, retainGraph: Bool) throws {
    let found = try gradients(of: likelihood, withRespectTo: leaves, retainGraph: retainGraph)
    for (sum, gradient) in zip(sums, found) {
      try sum.addInPlace(gradient.to(.float64).square(), scale: weight / Double(max(1, examples.count)))
    }
  }
  for (done, example) in examples.enumerated() {
    progress(done)
    let batch = try source.batch(example..<example + 1)
    let logits = try network(batch.inputs, .evaluation)
    let scores = try logits.to(.float32).logSoftmax(-1).reshape([-1, logits.size(-1)])
    switch labels {
    case .expected:
      guard logits.rank == 2 else {
        throw TorchError(
          operation: "diagonalFisher",
          message:
            "labels=expected takes every label by its probability, and there are too many sequences for that; say "
            + "labels=sampled, or labels=given for those of the data")
      }
      let probabilities = try scores[0].detach().exp().array(Double.self)
      for (label, probability) in probabilities.enumerated() {
        try add(scores[0][label], probability, retainGraph: label + 1 < probabilities.count)
      }
    case .sampled, .given:
      var chosen = try batch.labels.reshape([-1, 1])
      if labels == .sampled {
        // The largest of log p + Gumbel noise is distributed as p.
        let noise = try Tensor.uniform(scores.shape, generator: generator).clamp(min: 1e-20).log()
        chosen = try (scores.detach() - (-noise).log().to(scores.device)).argmax(-1, keep: true)
      }
      try add(scores.gather(1, chosen).sum(), 1, retainGraph: false)
    }
  }
  return Weights(zip(parameters.map(\.name), sums))
}
