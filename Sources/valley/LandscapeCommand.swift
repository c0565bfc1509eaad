import ArgumentParser

/// `valley landscape`: what lies between weights.
struct LandscapeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "landscape",
    abstract: "Measure what lies between weights: paths, planes, barriers.",
    subcommands: [LandscapePathCommand.self, LandscapePlaneCommand.self, LandscapeTransitionCommand.self]
  )
}
