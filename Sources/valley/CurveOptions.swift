import ArgumentParser
import Checkpoints
import Foundation
import Landscape
import Studies
import Torch
import Training
import Weights

/// The options that say how curves between networks are trained.
struct CurveOptions: ParsableArguments {
  enum Curve: String, CaseIterable, ExpressibleByArgument { case bezier, polygonal }

  @Option(help: "Train a curve between the ends, too: bezier or polygonal.") var curve: Curve?
  @Option(help: "Points between the ends that bend the curve.") var bends = 1
  @Option(help: "Epochs that the curve is trained for.") var curveEpochs = 10.0
  @Option(
    help: "The peak learning rate of the curve, with momentum 0.9.  (default: the run's, with AdamW 0.01)")
  var curveLr: Double?
  @Option(help: "The seed of the positions that the curve is trained at.") var curveSeed = 0

  func validate() throws {
    guard (1...16).contains(bends) else { throw ValidationError("--bends is \(bends); expected 1 … 16") }
    guard curveEpochs > 0, curveEpochs.isFinite else {
      throw ValidationError("--curve-epochs is \(curveEpochs); expected a number above 0")
    }
    if let curveLr, !(curveLr > 0 && curveLr.isFinite) {
      throw ValidationError("--curve-lr is \(curveLr); expected a number above 0")
    }
  }

  func training(_ session: LandscapeSession) throws -> CurveTraining? {
    guard let curve else { return nil }
    let optimizer = session.configuration.optimizer
    var rate = 0.01
    var decay = 0.0
    if case .sgd(let sgd) = optimizer { (rate, decay) = (sgd.learningRate, sgd.weightDecay) }
    let steps = max(1, Int((curveEpochs * Double(session.setting.steps.perEpoch)).rounded()))
    return CurveTraining(
      shape: curve == .bezier ? .bezier : .polygonal, bends: bends, steps: steps, learningRate: curveLr ?? rate,
      weightDecay: decay, seed: curveSeed)
  }

  /// Trains a curve, going on from what an earlier attempt left in `folder`.
  func train(
    _ training: CurveTraining, _ session: LandscapeSession, from start: Weights, to end: Weights, folder: URL?,
    key: String
  ) throws -> WeightPath {
    let id = try fingerprint([key, fingerprint(training), session.configuration.id])
    let file = folder?.appendingPathComponent("curves/\(id).safetensors")
    if let file {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    }
    let saved = try file.flatMap { file in
      FileManager.default.fileExists(atPath: file.path) ? try TrainingState.read(file.path).state : nil
    }
    let progress = Progress("curve step", total: training.steps, done: saved?.step ?? 0)
    defer { progress.finish() }
    return try training.train(
      session.network, from: start, to: end, on: session.setting.batches(), autocast: session.setting.autocast,
      state: saved,
      save: { state in if let file { try state.write(to: file.path) } },
      progress: { step, loss in progress.update(step, note: String(format: "loss %.4f", loss)) })
  }
}
