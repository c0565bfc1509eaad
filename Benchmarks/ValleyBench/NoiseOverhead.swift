import ArgumentParser
import Networks
import Studies
import Torch
import Training

/// What measuring the gradient noise adds to training in a run with nothing but defaults: one interval of steps, and
/// the measurement that belongs to it. Both are timed in one go, so that they meet the same machine.
struct NoiseOverhead: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Training with the noise measured at its default interval; the reference is without.")

  @OptionGroup var options: RepetitionOptions

  func run() throws {
    let setting = try PreparedRun(RunConfiguration())
    guard let noise = setting.configuration.measure.noise else { return }
    let trainer = try setting.trainer(of: setting.makeNetwork())
    var batches = try setting.batches(.noise)
    let interval = noise.every.steps(stepsPerEpoch: setting.steps.perEpoch)
    var with: [Double] = []
    var without: [Double] = []
    var timing = try Timing.measure("noise-overhead", options) {
      let training = try Timing.seconds {
        for _ in 0..<interval { _ = try trainer.advance(learningRate: 0.01) }
      }
      let measuring = try Timing.seconds {
        _ = try GradientNoise(
          trainer.network, on: batches.batch(at: trainer.step), microbatches: noise.microbatches,
          autocast: setting.autocast)
        _ = try trainer.weightNorm()
      }
      without.append(training)
      with.append(training + measuring)
    }
    timing.seconds = Array(with.dropFirst(options.warmup))
    timing.reference = Array(without.dropFirst(options.warmup))
    try timing.report()
  }
}
