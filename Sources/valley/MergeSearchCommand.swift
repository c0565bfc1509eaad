import ArgumentParser
import Checkpoints
import Foundation
import Landscape
import Merging
import Reports
import Search
import Studies
import Support
import Torch

extension Minimiser.Algorithm: ExpressibleByArgument {}

/// `valley merge search`: which merge is best.
struct MergeSearchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge-search",
    abstract: "Find the values of a recipe that give the best merge.",
    usage: "valley merge search <recipe> --output <output> [<options>]",
    discussion: """
      Values of the recipe's parameters may be ranges, {from: 0, to: 1}, {from: 1e-3, to: 1, scale: log} or {choices: [true, false]},
      and its merge_method {choices: [ties, task_arithmetic]}. Every candidate is merged in memory and evaluated; no weights are
      written before the end. What is tried next is decided by a Gaussian process and its expected improvement (gp), by CMA-ES, which
      pays from about ten ranges and hundreds of evaluations on, or by chance.

      Which network and data is said as for `valley eval`. Choosing by test examples makes their score too good: with --examples N the
      first N decide, and the winner is measured on the rest of the split, too. BatchNorm's statistics are measured anew for every
      candidate unless --batchnorm off; the weights written at the end then have those statistics.

      The folder holds search.json (the settings), candidates.jsonl (a line for each evaluation), best.yml (for `valley merge`),
      search.csv and search.svg, and the merged weights. A search that was interrupted, at whatever moment, goes on with the same command and
      tries the same candidates as it would have; a larger --budget goes on from the end.

      EXAMPLES
        valley merge search recipe.yml --run out/first --examples 2000 -o out/search
        valley merge search recipe.yml --model resnet18 --set model.width=16 --data cifar10 --metric loss -o out/search
        valley merge search recipe.yml --run out/first --algorithm cma-es --budget 400 -o out/search
      """, shouldDisplay: false)

  enum Metric: String, CaseIterable, ExpressibleByArgument, Codable { case accuracy, loss }
  enum Part: String, CaseIterable, ExpressibleByArgument, Codable { case train, test }

  @Argument(help: "A recipe with ranges.", completion: .file(extensions: ["yml", "yaml"])) var recipe: String
  @OptionGroup var setting: SettingOptions
  @Option(help: "How many candidates to evaluate.") var budget = 40
  @Option(help: "How to choose candidates: gp, cma-es or random.") var algorithm = Minimiser.Algorithm.gaussianProcess
  @Option(help: "What makes a merge good: accuracy or loss.") var metric = Metric.loss
  @Option(help: "The examples to evaluate on: train or test.") var split = Part.test
  @Option(help: ArgumentHelp("Evaluate on the first N examples of the split only.", valueName: "n")) var examples: Int?
  @Option(
    name: .customLong("batchnorm"),
    help: ArgumentHelp(
      "BatchNorm's statistics of every candidate: off merges them like weights, full measures them anew on an epoch of training batches, a number on about so many training examples.",
      valueName: "off|n|full"))
  var batchNorm = BatchNormPolicy.subset(2000)
  @Option(help: "Which random numbers to draw.") var seed: UInt64 = 0
  @Option(name: .shortAndLong, help: "The search's folder.", completion: .directory) var output: String?
  @Flag(help: "Throw away an earlier search in the folder.") var force = false
  @Flag(help: "Print JSON.") var json = false
  @Flag(
    help:
      "Choose nothing: print the ranges, then read points from standard input, a JSON list a line, and print loss and accuracy of each."
  )
  var serve = false

  func validate() throws {
    if budget < 1 || budget > 100_000 { throw ValidationError("--budget is \(budget); expected 1 … 100000") }
    if let examples, examples < 1 { throw ValidationError("--examples is \(examples); expected 1 or more") }
    if output == nil, !serve { throw ValidationError("-o names the folder of the search; it is missing") }
  }

  func run() throws {
    guard let data = FileManager.default.contents(atPath: recipe) else {
      throw CommandError("\(recipe): cannot be read")
    }
    let space = try RecipeSpace(yaml: String(decoding: data, as: UTF8.self), file: recipe)
    let folder = output.map { URL(fileURLWithPath: $0, isDirectory: true) }
    // What has been tried belongs to one search; whether it is this one is known before data are read.
    let settings = SearchSettings(self, recipe: String(decoding: data, as: UTF8.self))
    let log = try serve ? nil : folder.map { try SearchLog($0, settings, replaces: force) }
    let candidates = try MergeCandidates(self, space)
    guard let log, let folder else { return try answer(candidates) }
    try search(candidates, log)
    try finish(candidates, log, folder)
  }

  private func search(_ candidates: MergeCandidates, _ log: SearchLog) throws {
    var minimiser = Minimiser(candidates.space.space, by: algorithm, seed: seed)
    for row in log.rows.prefix(budget) { minimiser.tell(row.point, row.value(metric)) }
    let done = minimiser.observations.count
    if done > 0 { Terminal.writeError("goes on after \(done) evaluations\n") }
    let progress = Progress("evaluating", total: budget, done: done)
    while minimiser.observations.count < budget {
      let point = minimiser.ask()
      let row = candidates.row(at: point, number: minimiser.observations.count + 1)
      try log.append(row)
      minimiser.tell(point, row.value(metric))
      progress.update(
        minimiser.observations.count, note: minimiser.best.map { "best \(metric.text($0.value))" } ?? "none succeeded")
    }
  }

  struct Summary: Encodable {
    var algorithm: String
    var metric: Metric
    var evaluations, failures: Int
    var best: CandidateRow
    /// On the examples of the split that decided nothing.
    var rest: PointMeasure.Score?
    var recipe, weights: String
    var figure: String?
  }

  private func finish(_ candidates: MergeCandidates, _ log: SearchLog, _ folder: URL) throws {
    let rows = Array(log.rows.prefix(budget))
    // Of equal ones the first, which is what the search holds to be the best.
    let succeeded = rows.filter { $0.value(metric).isFinite }
    guard let best = succeeded.min(by: { ($0.value(metric), $0.number) < ($1.value(metric), $1.number) }) else {
      throw CommandError(
        "none of \(rows.count) candidates could be merged and measured; the last: \(rows.last?.error ?? "a loss that is no number")"
      )
    }
    let recipeFile = folder.appendingPathComponent("best.yml")
    try writeAtomically(
      Data(candidates.yaml(at: best.point, comment: best.text(metric)).utf8), to: recipeFile.path)
    let weights = try candidates.write(best.point, to: folder)
    var figure: String?
    do {
      try SearchFigure(
        ranges: candidates.space.space.dimensions.map(\.name),
        candidates: rows.map { .init(value: $0.score(metric), values: $0.values.map(\.value)) },
        metric: metric == .loss ? .loss : .accuracy, setting: candidates.words
      ).write(to: folder)
      figure = folder.appendingPathComponent("search.svg").path
    } catch let error as ReportError {
      // Everything else is there.
      Terminal.writeError("\(error)\n")
    }
    let summary = Summary(
      algorithm: algorithm.rawValue, metric: metric, evaluations: rows.count,
      failures: rows.count - succeeded.count, best: best, rest: try candidates.rest(at: best.point),
      recipe: recipeFile.path, weights: weights, figure: figure)
    if json { return try printJSON(summary) }
    var table = TextTable(["range", "best"])
    table.rows = best.values.map { [$0.name, $0.value] }
    print(table.text)
    print("\(best.text(metric)), candidate \(best.number) of \(rows.count); \(candidates.words)")
    if let rest = summary.rest {
      print(
        String(
          format: "on the other %d examples, which decided nothing: loss %.4f, accuracy %.2f %%", candidates.restCount,
          rest.loss, rest.accuracy * 100))
    }
    if summary.failures > 0 { print("\(summary.failures) candidates could not be merged or measured") }
    print("\(recipeFile.path)\n\(weights)" + (figure.map { "\n\($0)" } ?? ""))
  }

  /// Evaluates what another program proposes.
  private func answer(_ candidates: MergeCandidates) throws {
    struct Range: Encodable {
      var name: String
      var kind: SearchSpace.Dimension.Kind
    }
    func send(_ value: some Encodable) throws {
      let encoder = JSONEncoder()
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      FileHandle.standardOutput.write(try encoder.encode(value) + Data("\n".utf8))
    }
    try send(candidates.space.space.dimensions.map { Range(name: $0.name, kind: $0.kind) })
    var number = 0
    while let line = readLine() {
      guard let point = try? JSONDecoder().decode([Double].self, from: Data(line.utf8)),
        point.count == candidates.space.space.dimensions.count
      else {
        throw CommandError(
          "standard input: \(line.prefix(80)) is no point; expected a JSON list of \(candidates.space.space.dimensions.count) numbers"
        )
      }
      number += 1
      try send(candidates.row(at: point, number: number))
    }
  }
}

extension MergeSearchCommand.Metric {
  /// A value that is lower where it is better.
  func text(_ value: Double) -> String {
    self == .loss ? String(format: "loss %.4f", value) : String(format: "accuracy %.2f %%", (1 - value) * 100)
  }
}
