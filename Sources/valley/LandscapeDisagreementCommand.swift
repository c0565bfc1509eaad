import ArgumentParser
import Checkpoints
import Foundation
import Landscape
import Merging
import Reports
import Weights

/// `valley landscape disagreement`: how predictions differ, and the merge beside the ensemble of its parents.
struct LandscapeDisagreementCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disagreement",
    abstract: "How the predictions of networks differ, and their merge beside their ensemble.",
    discussion: """
      The ensemble is the mean of the networks' probabilities; the merge the plain mean of their weights. Differences come with 95 %
      intervals, paired over examples. Error correlation is Pearson's of being wrong: the lower it is, the more an ensemble can gain.
      With --out a measurement that was stopped goes on where it was.

      EXAMPLES
        valley landscape disagreement out/first/checkpoints/endpoint-832-0.safetensors out/first/checkpoints/endpoint-832-1.safetensors
        valley landscape disagreement a.pt b.pt c.pt --model resnet18 --data cifar10 --batchnorm full --out out/disagreement
        valley landscape disagreement a.safetensors b.safetensors --run out/first --no-merge --json
      """)

  @Argument(help: "Weights, two or more.", completion: .file()) var weights: [String]
  @OptionGroup var options: LandscapeOptions
  @OptionGroup var figures: FigureOptions
  @Flag(inversion: .prefixedNo, help: "Compare with the mean of the weights, too.") var merge = true

  func validate() throws {
    guard weights.count >= 2 else {
      throw ValidationError("\(weights.count) weights; two or more networks can disagree")
    }
  }

  struct Summary: Encodable {
    var setting, model, dataset: String
    var batchNorm: String?
    var disagreement: Disagreement
  }

  func run() throws {
    let session = try options.session(weights, command: "landscape disagreement")
    let (examples, exampleWords) = try session.examples(usual: .test)
    let placer = try session.placer()
    let words = session.words(exampleWords, placer)
    let points = session.points.map(\.weights)
    let share = 1 / Double(points.count)
    let merged = merge ? try linearMerge(points, coefficients: points.map { _ in share }) : nil
    let placed = try session.placed(points + (merged.map { [$0] } ?? []), by: placer)
    // Two files of one name in different folders are told apart by their places.
    let names = session.points.map(\.name)
    let labels = Set(names).count == names.count ? names : names.enumerated().map { "\($0.offset + 1): \($0.element)" }
    let store = try MeasureStore(figures.folder, setting: session.identity(placer))
    let key = try "disagreement \(points.map { try $0.fingerprint() }) \(merge)"
    let progress = Progress("example", total: examples.count)
    let found = try Disagreement(
      of: Array(zip(labels, placed)), merge: merge ? placed.last : nil, session.network, on: examples,
      batchSize: examples.batchSize, progress: { progress.update($0) }
    ) { range, measure in
      try store("\(key) \(range)", measure)
    }
    progress.finish()
    let summary = Summary(
      setting: words, model: session.configuration.model.name.rawValue,
      dataset: session.configuration.dataset.name.rawValue, batchNorm: placer.batchNormWords, disagreement: found)
    try figures.write(
      FigureSet(
        name: "disagreement", title: "Disagreement, ensemble and merge", description: words + ".",
        findings: found.differences.map(sentence), figures: [DisagreementFigure(found, setting: words)]),
      summary)
    options.json ? try printJSON(summary) : show(found, words)
  }

  // MARK: Output

  private func sentence(_ difference: Disagreement.Difference) -> String {
    String(
      format: "%@ less %@: accuracy %+.2f points (95 %% %+.2f … %+.2f), loss %+.4f nats (%+.4f … %+.4f).",
      difference.of, difference.from, 100 * difference.accuracy, 100 * difference.accuracyLower,
      100 * difference.accuracyUpper, difference.loss, difference.lossLower, difference.lossUpper)
  }

  private func show(_ found: Disagreement, _ words: String) {
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
    print(words)
  }
}
