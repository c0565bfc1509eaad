import Checkpoints
import Foundation
import Support
import Torch
import Training
import Weights

/// The weights that runs of a study start from where their configuration asks for a pretraining: trained once, by
/// whichever run comes first, and kept as `<id of the pretraining>.safetensors`. The others wait for it. Killed, it
/// goes on from its last checkpoint to the same bytes.
struct Pretraining {
  private let configuration: RunConfiguration
  /// The folder for all starts of a study.
  private let folder: URL
  private let control: RunControl
  private let report: (_ phase: String) -> Void

  /// - Parameter report: is told now and then how far it is
  init(
    _ configuration: RunConfiguration, in folder: URL, control: RunControl, report: @escaping (_ phase: String) -> Void
  ) {
    self.configuration = configuration
    self.folder = folder
    self.control = control
    self.report = report
  }

  private var path: String { folder.appendingPathComponent("\(configuration.id).safetensors").path }
  /// Where the process at work keeps its lock and its state.
  private var workplace: URL { folder.appendingPathComponent(configuration.id) }
  private var resumePath: String { workplace.appendingPathComponent("resume.safetensors").path }
  private var metadata: [String: String] { ["run": configuration.id, "format": "pt"] }

  /// The weights, trained now if they are not there.
  /// - Throws: `RunEnd.stopped` when it is to stop, `RunDataError` when the training diverges.
  func weights() throws -> Weights {
    while true {
      if FileManager.default.fileExists(atPath: path) { return try Safetensors.read(path).weights }
      try makeFolder(workplace)
      do {
        let lock = try FolderLock(workplace)
        defer { lock.release() }
        // Whoever had the lock before may have finished meanwhile.
        if !FileManager.default.fileExists(atPath: path) { try train(lock) }
      } catch is FolderLock.Held {
        report("waiting for the pretraining in another run")
        if control.shouldStop() { throw RunEnd.stopped }
        Thread.sleep(forTimeInterval: 0.2)
      }
    }
  }

  private func train(_ lock: FolderLock) throws {
    AtomicFile.removeLeftovers(in: workplace.path)
    let prepared = try PreparedRun(configuration)
    let network = try prepared.makeNetwork()
    let plan = prepared.steps.plans[0]
    let trainer = try prepared.trainer(of: network, state: restore())
    let interval = max(1, configuration.checkpoints.every.steps(stepsPerEpoch: prepared.steps.perEpoch))
    while trainer.step < plan.steps {
      report("pretraining, step \(trainer.step) of \(plan.steps)")
      let loss = try trainer.advance(learningRate: plan.schedule.endpointLearningRate(atStep: trainer.step))
      guard loss.isFinite else {
        throw RunDataError(
          "the pretraining diverged at step \(trainer.step); try a smaller learning rate in start.pretrain.optimizer")
      }
      let stops = control.shouldStop()
      if stops || (trainer.step % interval == 0 && trainer.step < plan.steps) {
        try lock.check()
        try trainer.state().write(to: resumePath, metadata: metadata)
      }
      if stops { throw RunEnd.stopped }
    }
    let weights = try trainer.state().weights
    let test = try Evaluation(network, on: prepared.test)
    try lock.check()
    try Safetensors.write(
      weights, metadata: metadata.merging(["test_accuracy": "\(test.accuracy)", "test_loss": "\(test.loss)"]) { $1 },
      to: path)
    try? FileManager.default.removeItem(atPath: resumePath)
  }

  private func restore() throws -> TrainingState? {
    guard FileManager.default.fileExists(atPath: resumePath) else { return nil }
    do {
      let (state, metadata) = try TrainingState.read(resumePath)
      if metadata["run"] == configuration.id { return state }
      throw FileError(resumePath, "is of another pretraining")
    } catch let error as FileError {
      throw FileError(error.path, "\(error.message); delete \(workplace.path) and the pretraining starts over")
    }
  }
}
