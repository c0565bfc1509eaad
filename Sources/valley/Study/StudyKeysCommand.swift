import ArgumentParser
import Studies

/// `valley study keys`: what a study's file may say.
struct StudyKeysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys",
    abstract: "List the keys of a study's file: what each means, what it may be, and its default.",
    discussion: """
      A dotted key stands for a key in a mapping, as in sweeps and --set. Short forms are in brackets: optimizer.lr is \
      optimizer.learning_rate.

      EXAMPLES
        valley study keys
        valley study keys optimizer
        valley study keys lr
        valley study keys --json
      """)

  @Argument(help: "A mapping, a dotted key or the end of one, such as optimizer or lr.  (default: all keys)")
  var key: String?
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let list = try StudyKeys.list(key)
    if json { return try printJSON(list.sections) }
    for (index, section) in list.sections.enumerated() {
      let title = section.path.isEmpty ? "study" : section.path
      print("\(index > 0 ? "\n" : "")\(Terminal.colour(title, 1)): \(section.meaning)")
      for key in section.keys { print("  \(list.line(key))") }
    }
  }
}
