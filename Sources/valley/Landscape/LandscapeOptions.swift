import ArgumentParser
import Landscape
import Support
import Workbench

/// The options that measurements in weight space share: which network and data, how much of them, and what to do about
/// BatchNorm.
struct LandscapeOptions: ParsableArguments {
  @OptionGroup var setting: SettingOptions
  @Option(help: "The examples to measure on: train, test or both.") var split = Measuring.Part.both
  @Option(help: ArgumentHelp("Measure on only the first N examples of each split.", valueName: "n"))
  var examples: Int?
  @Option(
    name: .customLong("batchnorm"),
    help: ArgumentHelp(
      """
      BatchNorm statistics at every point: off combines them like weights, full re-estimates them on an epoch of \
      training batches, a number re-estimates them on about that many training examples, always the same ones.
      """, valueName: "off|n|full"))
  var batchNorm = BatchNormPolicy.subset(2000)
  @Flag(help: "Print JSON.") var json = false

  func validate() throws { try validating { try measuring.check() } }

  var measuring: Measuring { Measuring(split: split, examples: examples, batchNorm: batchNorm) }

  /// Reads the weights at `paths`, which must all be for the one network, and the data.
  func bench(_ paths: [String], _ report: Reporter) throws -> Bench {
    setting.prepare()
    return try Bench(paths, from: setting.source, measuring: measuring, report: report.listener)
  }
}
