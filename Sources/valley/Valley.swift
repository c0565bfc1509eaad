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
      MergeSearchCommand.self,
      AlignCommand.self, InspectCommand.self, DiffCommand.self, ExtractLoraCommand.self,
      ModelCommand.self,
      StudyCommand.self, ReportCommand.self, LandscapeCommand.self,
      DoctorCommand.self, RunWorkerCommand.self,
    ]
  )

  static func main() async {
    var words = Array(CommandLine.arguments.dropFirst())
    // `merge` takes files as its first words, which a subcommand of it would be taken for.
    if words.prefix(2) == ["merge", "search"] { words.replaceSubrange(..<2, with: ["merge-search"]) }
    await main(words)
  }
}
