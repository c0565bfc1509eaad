import Checkpoints
import Foundation
import Landscape
import Studies
import Training
import Weights

/// How to train a curve between two weights, which stay fixed (Garipov et al. 2018).
public struct CurveSettings: Hashable, Sendable {
  /// `bezier` or `polygonal`
  public var shape: WeightPath.Shape
  /// Points between the ends that bend the curve; 1 … 16.
  public var bends: Int
  /// Epochs to train for.
  public var epochs: Double
  /// The peak; nil for that of the run, or 0.01 if the run does not use SGD.
  public var learningRate: Double?
  /// The seed of the positions at which the curve is trained.
  public var seed: Int

  /// By default, a Bézier curve with one bend, trained for 10 epochs.
  public init(
    _ shape: WeightPath.Shape = .bezier, bends: Int = 1, epochs: Double = 10, learningRate: Double? = nil, seed: Int = 0
  ) {
    (self.shape, self.bends, self.epochs) = (shape, bends, epochs)
    (self.learningRate, self.seed) = (learningRate, seed)
  }

  func check() throws {
    guard shape != .line else { throw WorkbenchError("`curve` is line; expected bezier or polygonal") }
    try WorkbenchError.require("curve.bends", bends, in: 1...16)
    try WorkbenchError.requirePositive("curve.epochs", epochs)
    if let learningRate { try WorkbenchError.requirePositive("curve.learningRate", learningRate) }
  }

  func training(_ bench: Bench) -> CurveTraining {
    var (rate, decay) = (0.01, 0.0)
    if case .sgd(let sgd) = bench.run.configuration.optimizer { (rate, decay) = (sgd.learningRate, sgd.weightDecay) }
    return CurveTraining(
      shape: shape, bends: bends, steps: max(1, Int((epochs * Double(bench.run.steps.perEpoch)).rounded())),
      learningRate: learningRate ?? rate, weightDecay: decay, seed: seed)
  }
}

extension CurveTraining {
  /// Trains a curve, continuing what an earlier attempt left in `folder`.
  func train(
    _ bench: Bench, from start: Weights, to end: Weights, keptIn folder: URL?, key: String, report: News.Listener
  ) throws -> WeightPath {
    let id = try fingerprint([key, fingerprint(self), bench.run.configuration.id])
    let file = folder?.appendingPathComponent("curves/\(id).safetensors")
    if let file {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    }
    let saved = try file.flatMap { file in
      FileManager.default.fileExists(atPath: file.path) ? try TrainingState.read(file.path).state : nil
    }
    return try train(
      bench.network, from: start, to: end, on: bench.run.batches(), autocast: bench.run.autocast, state: saved,
      save: { state in if let file { try state.write(to: file.path) } },
      progress: { report(.progress("curve step", $0, of: steps, detail: String(format: "loss %.4f", $1))) })
  }
}
