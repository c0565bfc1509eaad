import ArgumentParser

/// `valley landscape`: what lies between weights.
struct LandscapeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "landscape",
    abstract: "Measure what lies between weights: paths, planes, curvature, similarity.",
    subcommands: [
      LandscapePathCommand.self, LandscapePlaneCommand.self, LandscapeTransitionCommand.self,
      LandscapeCurvatureCommand.self, LandscapeCKACommand.self, LandscapeDisagreementCommand.self,
    ]
  )
}
