import ArgumentParser
import Workbench

/// The command line: parse, call, print.
@main
struct Valley: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "valley",
    abstract: "Train networks under controlled noise, merge them, and measure what merging gains.",
    version: valleyVersion,
    subcommands: [
      DataCommand.self, TokenizerCommand.self, TrainCommand.self, EvalCommand.self, MergeCommand.self,
      MergeSearchCommand.self, AlignCommand.self, InspectCommand.self, DiffCommand.self, ExtractLoraCommand.self,
      ModelCommand.self, StudyCommand.self, ReportCommand.self, LandscapeCommand.self, DoctorCommand.self,
      RunWorkerCommand.self,
    ]
  )

  static func main() async {
    var words = Array(CommandLine.arguments.dropFirst())
    // `merge` takes files as its first words, which a subcommand of it would be taken for.
    if words.prefix(2) == ["merge", "search"] { words.replaceSubrange(..<2, with: ["merge-search"]) }
    do {
      var command = try parseAsRoot(words)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let error as WorkbenchError {
      exit(withError: CommandError(inOptions(error.description)))
    } catch {
      exit(withError: error)
    }
  }
}
