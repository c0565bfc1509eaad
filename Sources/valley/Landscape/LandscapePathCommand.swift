import ArgumentParser
import Foundation
import Landscape
import Reports
import Weights
import Workbench

/// `valley landscape path`: loss and accuracy along paths between weights.
struct LandscapePathCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "path",
    abstract: "Loss and accuracy along the straight line between two networks, or along a trained curve.",
    discussion: """
      Measures θ(λ) = (1 − λ) A + λ B for λ from 0 to 1. The barrier is how far the loss rises above the straight line \
      between the losses of the ends; "lowest" is its lowest point relative to that line, below 0 in a valley; the \
      area is the integral of the height over λ.

      With --curve, a curve is trained between the ends, which stay fixed (Garipov et al. 2018), and measured beside \
      the line.

      Weights are files or folders, as for `valley model import`. For checkpoints of a run, the network and data are \
      known; for others, name them as for `valley eval`. With --out, an interrupted measurement continues where it \
      stopped.

      EXAMPLES
        valley landscape path out/first/checkpoints/endpoint-832-{0,1}.safetensors
        valley landscape path a.pt b.pt c.pt --all-pairs --model resnet18 --data cifar10 --out out/paths
        valley landscape path a.safetensors b.safetensors --run out/first \\
          --curve bezier --curve-epochs 20 --batchnorm full
        valley landscape path a.safetensors b.safetensors --run out/first --split test --json \\
          | jq '.paths[].testBarrier.height'
      """)

  @Argument(help: "Weights, two for each path: A B, or A B C D for two paths.", completion: .file())
  var weights: [String]
  @OptionGroup var options: LandscapeOptions
  @OptionGroup var figures: FigureOptions
  @Option(help: "Points on each path, including both ends.") var points = 25
  @Flag(help: "Measure a path between every two of the weights, not only first and second, third and fourth …")
  var allPairs = false
  @OptionGroup(title: "Curves") var curves: CurveOptions

  private var survey: PathSurvey { PathSurvey(points: points, allPairs: allPairs, curve: curves.settings) }

  func validate() throws { try validating { try survey.check(weights: weights.count) } }

  func run() throws {
    let report = Reporter()
    let found = try survey.measure(
      options.bench(weights, report), keptIn: figures.folder, report: report.listener)
    try figures.write(figureSet(found.paths, found.setting), found)
    options.json ? try printJSON(found) : show(found.paths, found.setting)
  }

  // MARK: Output

  private func figureSet(_ paths: [PathSurvey.Path], _ setting: String) -> FigureSet {
    let figure = PathFigure(
      curves: paths.map { PathFigure.Curve(series: $0.name, measures: [$0.measure]) }, quantity: "path",
      setting: setting)
    return FigureSet(
      name: "path", title: "Paths between networks", description: setting + ".", findings: paths.flatMap(sentences),
      figures: [figure])
  }

  private func sentences(_ path: PathSurvey.Path) -> [String] {
    [("training", path.trainBarrier), ("test", path.testBarrier)].compactMap { split, barrier in
      barrier.map {
        String(
          format: "%@: the %@ loss rises at most %.4f nats above the line between the ends (λ = %.2f); "
            + "its lowest is %+.4f nats (λ = %.2f), the area %+.4f.",
          path.name, split, $0.height, $0.position, $0.lowest, $0.lowestPosition, $0.area)
      }
    }
  }

  private func show(_ paths: [PathSurvey.Path], _ setting: String) {
    var table = TextTable([
      "path", "split", "loss A", "loss B", "barrier", "at λ", "lowest", "at λ", "area", "error barrier pp",
    ])
    for path in paths {
      let ends = [path.measure.points.first, path.measure.points.last]
      for (split, barrier, error, scores) in [
        ("train", path.trainBarrier, path.trainErrorBarrier, ends.map { $0?.train }),
        ("test", path.testBarrier, path.testErrorBarrier, ends.map { $0?.test }),
      ] {
        guard let barrier else { continue }
        table.rows.append(
          [path.name, split] + scores.map { String(format: "%.4f", $0?.loss ?? .nan) } + [
            String(format: "%.4f", barrier.height), String(format: "%.2f", barrier.position),
            String(format: "%+.4f", barrier.lowest), String(format: "%.2f", barrier.lowestPosition),
            String(format: "%+.4f", barrier.area), error.map { String(format: "%.2f", $0.height * 100) } ?? "",
          ])
      }
    }
    print(table.text)
    print(setting)
  }
}

extension PathSurvey.Path {
  fileprivate var name: String { "\(from) – \(to)" + (measure.shape == .line ? "" : ", \(measure.shape.rawValue)") }
}
