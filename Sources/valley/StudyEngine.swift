import Studies
import Torch

/// What the study commands need of the training engine.
enum StudyEngine {
  /// Performs one run.
  static let run: Run = { _, _, _ in throw Unavailable() }

  /// Measures a few steps of a run with so many threads; nil while there is nothing to measure with.
  static let estimate: (@Sendable (RunConfiguration, _ threads: Int) throws -> RunEstimate)? = nil

  struct Unavailable: Error, CustomStringConvertible {
    let description = "this build of valley cannot train"
  }

  static func versions() -> RunRecord.Versions {
    RunRecord.Versions(
      valley: Valley.configuration.version, libtorch: Libtorch.version, threads: Libtorch.threads)
  }
}
