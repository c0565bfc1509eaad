import ArgumentParser
import Landscape

/// The option that says whether BatchNorm's statistics are re-estimated.
struct ReestimationOptions: ParsableArguments {
  @Option(
    name: .customLong("reestimate-batchnorm"), defaultAsFlag: 0,
    help: ArgumentHelp(
      "Re-estimate BatchNorm statistics on N training examples, or on all of them without N.", valueName: "n"))
  var reestimate: Int?

  func validate() throws {
    if let reestimate, reestimate < 0 {
      throw ValidationError("--reestimate-batchnorm is \(reestimate); expected a number of examples")
    }
  }

  var policy: BatchNormPolicy { reestimate.map { $0 == 0 ? .full : .subset($0) } ?? .off }
}
