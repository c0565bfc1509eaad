import ArgumentParser
import Foundation
import Landscape
import Reports
import Weights
import Workbench

/// `valley landscape disagreement`: how predictions differ, and the merge beside the ensemble of its parents.
struct LandscapeDisagreementCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disagreement",
    abstract: "How the predictions of networks differ, and how their merge compares with their ensemble.",
    discussion: """
      The ensemble is the mean of the networks' probabilities, the merge the plain mean of their weights. Differences \
      come with 95 % intervals, paired over examples. Error correlation is Pearson's correlation between being wrong \
      in one network and in the other: the lower it is, the more an ensemble can gain. With --out, an interrupted \
      measurement continues where it stopped.

      EXAMPLES
        valley landscape disagreement out/first/checkpoints/endpoint-832-{0,1}.safetensors
        valley landscape disagreement a.pt b.pt c.pt --model resnet18 --data cifar10 \\
          --batchnorm full --out out/disagreement
        valley landscape disagreement a.safetensors b.safetensors --run out/first --no-merge --json
      """)

  @Argument(help: "Weights, two or more.", completion: .file()) var weights: [String]
  @OptionGroup var options: LandscapeOptions
  @OptionGroup var figures: FigureOptions
  @Flag(inversion: .prefixedNo, help: "Also compare with the mean of the weights.") var merge = true

  private var survey: DisagreementSurvey { DisagreementSurvey(hasMerge: merge) }

  func validate() throws { try validating { try survey.check(weights: weights.count) } }

  func run() throws {
    let report = Reporter()
    let found = try survey.measure(
      options.bench(weights, report), keptIn: figures.folder, report: report.listener)
    try figures.write(
      FigureSet(
        name: "disagreement", title: "Disagreement, ensemble and merge", description: found.setting + ".",
        findings: found.disagreement.differences.map(sentence),
        figures: [DisagreementFigure(found.disagreement, setting: found.setting)]), found)
    options.json ? try printJSON(found) : show(found.disagreement, found.setting)
  }

  // MARK: Output

  private func sentence(_ difference: Disagreement.Difference) -> String {
    String(
      format: "%@ minus %@: accuracy %+.2f points (95 %% %+.2f … %+.2f), loss %+.4f nats (%+.4f … %+.4f).",
      difference.of, difference.from, 100 * difference.accuracy, 100 * difference.accuracyLower,
      100 * difference.accuracyUpper, difference.loss, difference.lossLower, difference.lossUpper)
  }

  private func show(_ found: Disagreement, _ setting: String) {
    var scores = TextTable(["network", "accuracy", "loss"])
    scores.rows = found.scores.map {
      [$0.name, String(format: "%.2f %%", 100 * $0.accuracy), String(format: "%.4f", $0.loss)]
    }
    print(scores.text + "\n")
    var pairs = TextTable(["first", "second", "agreement", "error correlation"])
    pairs.rows = found.pairs.map {
      [
        $0.first, $0.second, String(format: "%.2f %%", 100 * $0.agreement),
        $0.errorCorrelation.map { String(format: "%.3f", $0) } ?? "–",
      ]
    }
    print(pairs.text + "\n")
    for difference in found.differences { print(sentence(difference)) }
    print(setting)
  }
}
