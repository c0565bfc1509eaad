import Studies
import Torch

/// What the study commands need of the training engine.
enum StudyEngine {
  /// Performs one run.
  static let run: Run = RunEngine.run

  /// Measures a few steps of a run with so many threads.
  static let estimate: @Sendable (RunConfiguration, _ threads: Int) throws -> RunEstimate = {
    try RunEngine.estimate($0, threads: $1)
  }

  static func versions() -> RunRecord.Versions {
    RunRecord.Versions(
      valley: Valley.configuration.version, libtorch: Libtorch.version, threads: Libtorch.threads)
  }
}
