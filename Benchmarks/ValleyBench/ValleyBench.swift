import ArgumentParser

/// Our side of the benchmarks. `Benchmarks/run` starts each job as a process of its own and reads the one JSON line it
/// prints.
///
/// A job is a command in a file of its own: it takes `RepetitionOptions` and ends with `Timing.report`.
@main
struct ValleyBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "valley-bench", abstract: "Valley's side of the benchmarks; Benchmarks/run drives it.",
    subcommands: [
      TrainStep.self, MLPStep.self, GPTStep.self, TokenizerSpeed.self, Epoch.self, PictureEpoch.self,
      NoiseOverhead.self, OperatorOverhead.self, LandscapePath.self, Curvature.self, Similarity.self,
      AssignmentSpeed.self, MatchingSpeed.self, Parity.self, DeviceCheck.self,
    ])
}
