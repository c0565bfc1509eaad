import ArgumentParser
import Workbench

/// The options that say how curves between networks are trained.
struct CurveOptions: ParsableArguments {
  enum Curve: String, CaseIterable, ExpressibleByArgument { case bezier, polygonal }

  @Option(help: "Also train a curve between the ends: bezier or polygonal.") var curve: Curve?
  @Option(help: "How many points between the ends bend the curve.") var bends = 1
  @Option(help: "How many epochs the curve is trained for.") var curveEpochs = 10.0
  @Option(
    help: "The curve's peak learning rate, with momentum 0.9.  (default: that of the run, or 0.01 if it uses AdamW)")
  var curveLr: Double?
  @Option(help: "The seed of the positions at which the curve is trained.") var curveSeed = 0

  var settings: CurveSettings? {
    curve.map {
      CurveSettings(
        $0 == .bezier ? .bezier : .polygonal, bends: bends, epochs: curveEpochs, learningRate: curveLr, seed: curveSeed)
    }
  }
}
