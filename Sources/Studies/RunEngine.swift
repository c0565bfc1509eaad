import Torch
import Training

/// Trains, branches, merges and measures: what stands behind a run.
public enum RunEngine {
  /// Performs one run in its folder, from wherever it stands.
  public static let run: Run = { try RunExecution.run($0, $1, $2) }

  /// Times a few steps of training and some evaluation of a run, to foretell how long the whole takes.
  public static func estimate(_ configuration: RunConfiguration, threads: Int) throws -> RunEstimate {
    Libtorch.setThreads(threads)
    let setting = try RunSetting(configuration)
    let network = try setting.makeNetwork()
    let trainer = try setting.trainer(of: network)
    let clock = ContinuousClock()
    func seconds(_ body: () throws -> Void) rethrows -> Double {
      let passed = try clock.measure(body).components
      return Double(passed.seconds) + Double(passed.attoseconds) * 1e-18
    }
    // The first steps choose algorithms and allocate.
    for _ in 0..<3 { _ = try trainer.advance(learningRate: 0) }
    var steps: [Double] = []
    while steps.count < 5 || (steps.count < 50 && steps.reduce(0, +) < 0.5) {
      steps.append(try seconds { _ = try trainer.advance(learningRate: 0) })
    }
    let sample = 0..<min(1000, setting.test.count)
    let evaluation = try seconds {
      try withoutGradients {
        let size = try setting.test.evaluationBatchSize()
        for start in stride(from: 0, to: sample.count, by: size) {
          _ = try network(setting.test.batch(start..<min(start + size, sample.count)).inputs, .evaluation)
        }
      }
    }
    let perExample = evaluation / Double(sample.count)
    return RunEstimate(
      parameters: network.parameters().filter(\.parameter.isTrainable).reduce(0) { $0 + $1.parameter.value.count },
      secondsPerStep: steps.sorted()[steps.count / 2], secondsPerTest: perExample * Double(setting.test.count),
      secondsPerTrainEvaluation: perExample * Double(setting.train.count))
  }
}
