import ArgumentParser
import Datasets
import Foundation
import Landscape
import Search
import Support
import Workbench

/// `valley merge search`: which merge is best.
struct MergeSearchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge-search",
    abstract: "Find the values of a recipe that give the best merge.",
    usage: "valley merge search <recipe> --output <output> [<options>]",
    discussion: """
      Values of the recipe's parameters may be ranges, {from: 0, to: 1}, {from: 1e-3, to: 1, scale: log} or {choices: \
      [true, false]}, and its merge_method {choices: [ties, task_arithmetic]}. Every candidate is merged in memory and \
      evaluated; no weights are written before the end. What to try next is decided by a Gaussian process and its \
      expected improvement (gp), by CMA-ES, which pays off from about ten ranges and hundreds of evaluations on, or at \
      random.

      Name the network and data as for `valley eval`. A merge chosen by its test examples looks better than it is: \
      with --examples N the first N decide, and the winner is also measured on the rest of the split. BatchNorm \
      statistics are re-estimated for every candidate unless you say --batchnorm off; the weights written at the end \
      then have those statistics.

      The folder holds search.json (the settings), candidates.jsonl (a line per evaluation), best.yml (for `valley \
      merge`), search.csv and search.svg, and the merged weights. An interrupted search continues with the same \
      command and tries the same candidates as it would have; with a larger --budget it continues from the end.

      EXAMPLES
        valley merge search recipe.yml --run out/first --examples 2000 -o out/search
        valley merge search recipe.yml --model resnet18 --set model.width=16 --data cifar10 \\
          --metric loss -o out/search
        valley merge search recipe.yml --run out/first --algorithm cma-es --budget 400 -o out/search
      """, shouldDisplay: false)

  @Argument(help: "A recipe with ranges.", completion: .file(extensions: ["yml", "yaml"])) var recipe: String
  @OptionGroup var setting: SettingOptions
  @Option(help: "How many candidates to evaluate.") var budget = 40
  @Option(help: "How to choose candidates: gp, cma-es or random.") var algorithm = Minimiser.Algorithm.gaussianProcess
  @Option(help: "What to optimise: accuracy or loss.") var metric = MergeSearch.Metric.loss
  @Option(help: "The examples to evaluate on: train or test.") var split = Split.test
  @Option(help: ArgumentHelp("Evaluate on only the first N examples of the split.", valueName: "n")) var examples: Int?
  @Option(
    name: .customLong("batchnorm"),
    help: ArgumentHelp(
      """
      BatchNorm statistics of every candidate: off merges them like weights, full re-estimates them on an epoch of \
      training batches, a number re-estimates them on about that many training examples.
      """, valueName: "off|n|full"))
  var batchNorm = BatchNormPolicy.subset(2000)
  @Option(help: "The seed of the search.") var seed: UInt64 = 0
  @Option(name: .shortAndLong, help: "The search's folder.", completion: .directory) var output: String?
  @Flag(help: "Throw away an earlier search in the folder.") var force = false
  @Flag(help: "Print JSON.") var json = false
  @Flag(
    help: """
      Choose nothing: print the ranges, then read points from standard input, one JSON list per line, and print loss \
      and accuracy of each.
      """)
  var serve = false

  private var search: MergeSearch {
    MergeSearch(
      recipe: recipe, from: setting.source, budget: budget, algorithm: algorithm, metric: metric, split: split,
      examples: examples, batchNorm: batchNorm, seed: seed)
  }

  func validate() throws {
    try validating { try search.check() }
    if output == nil, !serve { throw ValidationError("-o is missing; it names the search's folder") }
  }

  func run() throws {
    setting.prepare()
    let report = Reporter()
    guard !serve, let output else { return try answer(search.candidates(report: report.listener)) }
    let found = try search.search(
      in: URL(fileURLWithPath: output, isDirectory: true), replacing: force, report: report.listener)
    if json { return try printJSON(found) }
    var table = TextTable(["range", "best"])
    table.rows = found.best.values.map { [$0.name, $0.value] }
    print(table.text)
    print("\(found.best.text), candidate \(found.best.number) of \(found.evaluations); \(found.setting)")
    if let rest = found.rest {
      print(
        String(
          format: "on the other %d examples, which had no part in the choice: loss %.4f, accuracy %.2f %%",
          found.restExamples, rest.loss, rest.accuracy * 100))
    }
    if found.failures > 0 { print("\(found.failures) candidates could not be merged or measured") }
    print("\(found.recipe)\n\(found.weights)" + (found.figure.map { "\n\($0)" } ?? ""))
  }

  /// Evaluates what another program proposes.
  private func answer(_ candidates: MergeCandidates) throws {
    struct Range: Encodable {
      var name: String
      var kind: SearchSpace.Dimension.Kind
    }
    func send(_ value: some Encodable) throws {
      FileHandle.standardOutput.write(Data((try jsonText(value) + "\n").utf8))
    }
    try send(candidates.ranges.map { Range(name: $0.name, kind: $0.kind) })
    var number = 0
    while let line = readLine() {
      guard let point = try? JSONDecoder().decode([Double].self, from: Data(line.utf8)),
        point.count == candidates.ranges.count
      else {
        throw CommandError(
          "standard input: \(line.prefix(80)) is not a point; expected a JSON list of "
            + "\(candidates.ranges.count) numbers"
        )
      }
      number += 1
      try send(candidates.row(at: point, number: number))
    }
  }
}
