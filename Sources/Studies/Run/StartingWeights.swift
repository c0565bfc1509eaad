import Checkpoints
import Networks
import Support
import Weights

extension RunExecution {
  /// Puts the network where the run starts, and says what was changed to make that possible.
  func loadStartingWeights() throws {
    guard let start = configuration.start else { return }
    let network = networks.own
    var notes: [String] = []
    let weights: Weights
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
    do {
      notes += try network.loadPretrained(weights.clone(), head: start.pretrain != nil ? .replaced : .replacedIfNeeded)
    } catch let error as FileError {
      throw FileError(start.file ?? "the pretrained start", error.message)
    }
    try network.move(to: prepared.device, format: .channelsLast)
    for note in notes { try folder.note(note) }
  }
}
