import Checkpoints
import Networks

extension Module {
  /// The parameters of the classifier, by the start of their names: where the network does not say, those of the last matrix.
  func classifierPrefix() throws -> String {
    if let prefix = (self as? any PretrainedNetwork)?.headPrefix { return prefix }
    let matrices = parameters().filter { $0.parameter.value.rank == 2 && $0.name.hasSuffix(".weight") }
    guard let name = matrices.last?.name else { throw RunSettingError("the network has no classifier to replace") }
    return String(name.dropLast("weight".count))
  }

  /// These weights with the network's own classifier where theirs is for another number of classes, or anyhow.
  /// - Returns: the weights and what there is to say about them
  func fitting(_ weights: Weights, replacesHead: Bool) throws -> (weights: Weights, notes: [String]) {
    let prefix = try classifierPrefix()
    let own = self.weights
    let (weights, messages) = try (self as? any PretrainedNetwork)?.adapted(weights) ?? (weights, [])
    let head = own.filter { name, _ in name.hasPrefix(prefix) }
    let differs = zip(head.names, head.tensors).contains { name, tensor in
      weights[name].map { $0.shape != tensor.shape } ?? true
    }
    guard differs || replacesHead else { return (weights, messages) }
    let theirs = weights[prefix + "weight"]?.shape.first.map { "\($0) classes" } ?? "none"
    // What the network does not know stays, for `load` to refuse.
    let rest = weights.filter { name, _ in !name.hasPrefix(prefix) }
    let fitted = Weights(zip(rest.names + head.names, rest.tensors + head.tensors))
    let count = head.tensors.first?.shape.first ?? 0
    return (
      fitted,
      messages + ["the classifier \(prefix.dropLast()) (\(theirs)) is replaced by a fresh one for \(count) classes"]
    )
  }
}

extension RunExecution {
  /// Puts the network where the run starts, and says what was changed to make that possible.
  func start() throws {
    guard let start = configuration.start else { return }
    let network = networks.own
    let weights: Weights
    var notes: [String] = []
    if let file = start.file {
      let checkpoint = try Checkpoint.read(file)
      (weights, notes) = (checkpoint.weights, checkpoint.notes)
    } else if let pretraining = configuration.pretraining {
      weights = try Pretraining(pretraining, in: folder.starts, control: control) { [control, steps] phase in
        control.report(RunProgress(done: 0, total: steps.total, phase: phase))
      }.weights()
    } else {
      return
    }
    let (fitted, messages) = try network.fitting(weights.to(setting.device), replacesHead: start.pretrain != nil)
    do {
      try network.load(fitted.clone())
    } catch let error as CheckpointError {
      throw CheckpointError(start.file ?? "the pretrained start", error.message)
    }
    try network.move(to: setting.device, format: .channelsLast)
    for note in notes + messages { try folder.note(note) }
  }
}
