import Training

extension SchemaReader {
  /// What belongs to one optimizer and not to the other.
  private static let own: [Optimizer.Name: [String]] = [
    .sgd: ["momentum", "nesterov", "decoupled_weight_decay"],
    .adamw: ["betas", "epsilon", "exempt_norms_and_biases"],
  ]

  func optimizer(_ fields: Fields) -> Optimizer {
    let name = fields.choice("name", Optimizer.Name.self) ?? .sgd
    for (other, keys) in Self.own where other != name {
      for key in keys {
        guard let node = fields.node(key) else { continue }
        let own = (Self.own[name] ?? []).joined(separator: ", ")
        report(node.place, fields.keyPath(key), "belongs to \(other.rawValue); \(name.rawValue) has \(own)")
      }
    }
    let clip = fields.number("clip")
    switch name {
    case .sgd:
      let usual = SGD()
      return .sgd(
        SGD(
          learningRate: fields.number("learning_rate") ?? usual.learningRate,
          momentum: fields.number("momentum") ?? usual.momentum,
          weightDecay: fields.number("weight_decay") ?? usual.weightDecay,
          nesterov: fields.truth("nesterov") ?? usual.nesterov,
          decoupledWeightDecay: fields.truth("decoupled_weight_decay") ?? usual.decoupledWeightDecay, clip: clip))
    case .adamw:
      let usual = AdamW()
      return .adamW(
        AdamW(
          learningRate: fields.number("learning_rate") ?? usual.learningRate, betas: betas(fields) ?? usual.betas,
          epsilon: fields.number("epsilon") ?? usual.epsilon,
          weightDecay: fields.number("weight_decay") ?? usual.weightDecay,
          exemptNormsAndBiases: fields.truth("exempt_norms_and_biases") ?? usual.exemptNormsAndBiases, clip: clip))
    }
  }

  private func betas(_ fields: Fields) -> AdamW.Betas? {
    guard let node = fields.node("betas"), let numbers = fields.list("betas", fields.number) else { return nil }
    guard numbers.count == 2 else {
      report(
        node.place, fields.keyPath("betas"),
        "has \(numbers.count) \(numbers.count == 1 ? "number" : "numbers"); expected two, such as [0.9, 0.999]")
      return nil
    }
    return AdamW.Betas(numbers[0], numbers[1])
  }

  func loss(_ fields: Fields) -> CrossEntropy { CrossEntropy(labelSmoothing: fields.number("label_smoothing") ?? 0) }

  func trained(_ top: Fields) -> TrainedParameters {
    TrainedParameters(only: top.list("only", top.text) ?? [], freeze: top.list("freeze", top.text) ?? [])
  }
}

extension RunConfiguration {
  /// Reports what is impossible about optimizer, loss and trained parameters.
  func checkOptimizer(_ check: inout ConfigurationCheck) {
    let (rate, decay) = (optimizer.learningRate, optimizer.weightDecay)
    check.require(rate.isFinite && rate > 0, "optimizer.learning_rate", "is \(rate); expected a number above 0")
    check.require(decay.isFinite && decay >= 0, "optimizer.weight_decay", "is \(decay); expected a number, 0 or more")
    let isDecoupled: Bool
    switch optimizer {
    case .sgd(let sgd):
      isDecoupled = sgd.decoupledWeightDecay
      let momentum = sgd.momentum
      check.require(
        momentum.isFinite && momentum >= 0 && momentum < 1, "optimizer.momentum",
        "is \(momentum); expected at least 0 and below 1")
      check.require(!sgd.nesterov || momentum > 0, "optimizer.nesterov", "needs a momentum above 0")
    case .adamW(let adamW):
      isDecoupled = true
      for beta in [adamW.betas.first, adamW.betas.second] {
        check.require(
          beta.isFinite && beta >= 0 && beta < 1, "optimizer.betas",
          "has \(beta); expected two numbers of at least 0 and below 1, such as [0.9, 0.999]")
      }
      check.require(
        adamW.epsilon.isFinite && adamW.epsilon > 0, "optimizer.epsilon",
        "is \(adamW.epsilon); expected a number above 0, such as 1e-8")
    }
    check.require(
      !isDecoupled || rate * decay < 1, "optimizer.weight_decay",
      "times the learning rate is \(rate * decay); decoupled weight decay needs it below 1")
    if let clip = optimizer.clip {
      check.require(
        clip.isFinite && clip > 0, "optimizer.clip",
        "is \(clip); expected a number above 0, the largest norm of the gradient, such as 1, or null")
    }
    let smoothing = loss?.labelSmoothing ?? 0
    check.require(
      smoothing >= 0 && smoothing < 1, "loss.label_smoothing", "is \(smoothing); expected 0 or more and below 1")
    for (key, names) in [("only", only ?? []), ("freeze", freeze ?? [])] {
      check.require(
        names.allSatisfy { !$0.isEmpty }, key, "has an empty name; expected parts of the network, such as layer1")
    }
  }
}
