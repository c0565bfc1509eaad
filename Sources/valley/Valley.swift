import ArgumentParser

/// The command line: parse, call, print.
@main
struct Valley: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "valley",
    abstract: "Train networks under controlled noise, merge them, and measure what the merge gains.",
    version: "0.1.0",
    subcommands: [
      DataCommand.self, TokenizerCommand.self, TrainCommand.self, EvalCommand.self, MergeCommand.self,
      AlignCommand.self, InspectCommand.self, DiffCommand.self, ExtractLoraCommand.self,
      ModelCommand.self,
      StudyCommand.self, ReportCommand.self, LandscapeCommand.self,
      DoctorCommand.self, RunWorkerCommand.self,
    ]
  )
}
