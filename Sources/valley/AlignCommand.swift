import Alignment
import ArgumentParser
import Checkpoints
import Foundation
import Landscape
import Networks
import Torch
import Weights

/// `valley align`: permutes the units of networks so that they lie in one basin.
struct AlignCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "align",
    abstract: "Permute the units of a network so that it can be merged with another.",
    discussion: """
      Two networks trained from different initialisations do not merge: what one does in one neuron the other does in another. Aligning
      finds which neurons, channels and heads of B belong to which of A, and writes B with them in A's order: the same function, the same
      names and types, a point that lies closer to A.

      weight needs the files only. activation compares what units do on examples, straight-through trains the order so that the midpoint
      does well; both need the data the networks were trained on. Where data is given, loss and accuracy between the networks are
      measured before and after. Averaged activations vary too little: BatchNorm's statistics are measured anew (--batchnorm), and
      --repair rescales the units of networks without BatchNorm.

      Of more than two networks each is aligned to the first, or all to their mean (--reference mean); OUT is then a folder.

      EXAMPLES
        valley align a.safetensors b.safetensors -o b-aligned.safetensors
        valley align a.safetensors b.safetensors -o b-aligned.safetensors --model resnet20 --data cifar10
        valley align a.safetensors b.safetensors -o b-aligned.safetensors --run out/first --method activation
        valley align a.pt b.pt -o b.safetensors --model vgg11 --data cifar10 --repair --merged merged.safetensors
        valley align a.safetensors b.safetensors c.safetensors -o aligned --reference mean
      """)

  enum Method: String, CaseIterable, ExpressibleByArgument {
    case weight, activation, straightThrough = "straight-through"
  }
  enum Reference: String, CaseIterable, ExpressibleByArgument { case first, mean }

  @Argument(help: "The weights, the reference first: files or folders, as `valley model import` takes them.")
  var weights: [String]
  @Option(
    name: .shortAndLong,
    help: "The safetensors file to write; of more than two networks, or with --reference mean, a folder.")
  var output: String
  @Option(help: "How units are matched: weight, activation or straight-through.") var method = Method.weight
  @Option(help: "What networks are aligned to: the first of them, or the mean of all.") var reference = Reference.first
  @Flag(help: "Rescale the units of merged networks without BatchNorm (REPAIR).") var repair = false
  @Option(help: "How REPAIR finds the scales: measured on data layer by layer, or in closed form.  (default: measured)")
  var repairForm: Repair.Form?
  @Option(help: "Also write the mean of the aligned networks, repaired where that was asked for.") var merged: String?
  @Option(help: "Of the order in which groups of units are matched.") var seed: UInt64 = 0
  @Option(help: "Starts of weight matching, the best of which is kept.") var starts = 1
  @Option(help: "Sweeps over all groups at most.") var sweeps = 100
  @Option(help: "Batches of straight-through matching.  (default: 100)") var steps: Int?
  @Option(help: "Examples of activation matching and REPAIR.") var matchExamples = 1000
  @Option(help: "Points of a path measured before and after, ends included.") var points = 3
  @Flag(help: "Replace what exists.") var force = false
  @OptionGroup(title: "Network, data and measuring") var options: LandscapeOptions

  func validate() throws {
    guard weights.count >= 2 else {
      throw ValidationError("two networks or more are needed: the reference and what is aligned to it")
    }
    if reference == .mean, method != .weight {
      throw ValidationError("--reference mean goes with --method weight")
    }
    if isSingle != output.hasSuffix(".safetensors") {
      throw ValidationError(
        isSingle
          ? "-o \(output): one aligned network is written to a file that ends in .safetensors"
          : "-o \(output): several aligned networks are written to a folder, not to a .safetensors file")
    }
    if let merged, !merged.hasSuffix(".safetensors") {
      throw ValidationError("--merged \(merged): expected a file that ends in .safetensors")
    }
    if repairForm != nil, !repair { throw ValidationError("--repair-form is of REPAIR; say --repair too") }
    if steps != nil, method != .straightThrough {
      throw ValidationError("--steps is of --method straight-through; \(method.rawValue) takes none")
    }
    for (name, value, least) in [
      ("starts", starts, 1), ("sweeps", sweeps, 1), ("steps", steps ?? 100, 1), ("match-examples", matchExamples, 2),
      ("points", points, 3),
    ] where value < least { throw ValidationError("--\(name) is \(value); expected \(least) or more") }
  }

  private var isSingle: Bool { weights.count == 2 && reference == .first }

  /// Where each network goes; nil: the reference, which stays where it is.
  private func targets() throws -> [String?] {
    if isSingle { return [nil, output] }
    let names = weights.map { URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent }
    guard Set(names).count == names.count else {
      throw CommandError(
        "the files \(names.joined(separator: ", ")) have the same name, which \(output) has place for once; "
          + "copy them under names of their own")
    }
    return names.enumerated().map { index, name in
      index == 0 && reference == .first ? nil : "\(output)/\(name).safetensors"
    }
  }

  func run() throws {
    let targets = try targets()
    for path in targets.compactMap(\.self) + [merged].compactMap(\.self) where !force {
      guard !FileManager.default.fileExists(atPath: path) else {
        throw CommandError("\(path) exists; add --force to replace it")
      }
    }
    let inputs = try AlignInputs(weights, options)
    if inputs.session == nil {
      for (isAsked, what) in [
        (method != .weight, "--method \(method.rawValue)"), (repair, "--repair"),
      ] where isAsked {
        throw CommandError("\(what) needs data; say which with --data, --config or --run")
      }
    }
    if repair, inputs.network.hasBatchNorm {
      Terminal.writeError("--repair: this network has BatchNorm, whose statistics are measured anew instead\n")
    }
    let symmetry = try Symmetry(of: inputs.network)
    guard !symmetry.groups.isEmpty else {
      throw CommandError("this network has no hidden units: there is nothing that could change places")
    }
    var summary = AlignSummary(
      method: method.rawValue, reference: reference == .mean ? "mean" : weights[0], seed: seed,
      groups: symmetry.groups.count, units: symmetry.groups.reduce(0) { $0 + $1.count })
    var aligned = inputs.points
    if reference == .mean {
      try alignToMean(&aligned, symmetry, &summary)
    } else {
      for index in aligned.indices.dropFirst() {
        let (permutations, row) = try match(index, inputs, symmetry)
        aligned[index] = try symmetry.apply(permutations, to: inputs.points[index])
        summary.networks.append(row)
      }
    }
    for index in summary.networks.indices {
      let place = reference == .mean ? index : index + 1
      summary.networks[index].output = targets[place]
    }
    if let session = inputs.session {
      let measure = try AlignPaths(session, symmetry, repair: repairer(inputs), points: points)
      for index in aligned.indices.dropFirst() {
        summary.paths += try measure.rows(inputs, aligned, index)
      }
      summary.measured = measure.words
    }
    try write(aligned, inputs, targets, symmetry, &summary)
    if options.json { return try printJSON(summary) }
    print(summary.text)
  }

  private func repairer(_ inputs: AlignInputs) -> Repair? {
    repair && !inputs.network.hasBatchNorm ? Repair(form: repairForm ?? .measured, examples: matchExamples) : nil
  }

  private var matching: WeightMatching { WeightMatching(seed: seed, starts: starts, maximumSweeps: sweeps) }

  private func match(
    _ index: Int, _ inputs: AlignInputs, _ symmetry: Symmetry
  ) throws -> ([Permutation], AlignSummary.Network) {
    let (a, b) = (inputs.points[0], inputs.points[index])
    var row = AlignSummary.Network(file: weights[index])
    let permutations: [Permutation]
    switch (method, inputs.session) {
    case (.activation, let session?):
      let progress = Progress("examples", total: matchExamples)
      let result = try ActivationMatching(examples: matchExamples)
        .match(b, to: a, symmetry, of: inputs.network, on: session.setting.train) { progress.update($0) }
      progress.finish()
      permutations = result.permutations
      (row.correlation, row.formerCorrelation) = (result.correlation, result.former)
    case (.straightThrough, let session?):
      let steps = steps ?? 100
      let progress = Progress("step", total: steps)
      let result = try StraightThroughMatching(seed: seed, steps: steps)
        .match(b, to: a, symmetry, of: inputs.network, on: session.setting.batches()) { step, loss in
          progress.update(step, note: String(format: "loss %.4f", loss))
        }
      progress.finish()
      permutations = result.permutations
      (row.loss, row.formerLoss) = (result.loss, result.former)
    default:
      let result = try matching.match(b, to: a, symmetry) { start, sweep, objective in
        guard Terminal.isErrorTerminal else { return }
        Terminal.writeError(
          String(format: "\r\u{1B}[2Kstart %d, sweep %d: objective %.6g", start + 1, sweep + 1, objective))
      }
      if Terminal.isErrorTerminal { Terminal.writeError("\r\u{1B}[2K") }
      permutations = result.permutations
      (row.sweeps, row.isConverged) = (result.sweeps, result.isConverged)
    }
    try row.compare(symmetry, a, b, permutations)
    return (permutations, row)
  }

  private func alignToMean(_ aligned: inout [Weights], _ symmetry: Symmetry, _ summary: inout AlignSummary) throws {
    let result = try MeanAlignment(matching: matching).match(aligned, symmetry) { round, spread in
      if Terminal.isErrorTerminal {
        Terminal.writeError("round \(round): \(String(format: "%.6g", spread)) from the mean\n")
      }
    }
    for (index, permutations) in result.permutations.enumerated() {
      aligned[index] = try symmetry.apply(permutations, to: aligned[index])
      var row = AlignSummary.Network(file: weights[index])
      row.count(permutations)
      summary.networks.append(row)
    }
    (summary.spread, summary.formerSpread, summary.rounds) = (result.spread, result.former, result.rounds)
  }

  private func write(
    _ aligned: [Weights], _ inputs: AlignInputs, _ targets: [String?], _ symmetry: Symmetry,
    _ summary: inout AlignSummary
  ) throws {
    let metadata = [
      "format": "pt", "align.method": method.rawValue, "align.seed": "\(seed)",
      "align.reference": reference == .mean ? "mean" : URL(fileURLWithPath: weights[0]).lastPathComponent,
    ]
    if !isSingle { try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true) }
    for (index, path) in targets.enumerated() {
      guard let path else { continue }
      let (weights, notes) = try inputs.files[index].renamed(aligned[index], of: inputs.network)
      for note in notes { Terminal.writeError("\(path): \(note)\n") }
      try Safetensors.write(weights, metadata: metadata, to: path)
    }
    guard let merged else { return }
    let mean: Weights
    if let session = inputs.session {
      mean = try AlignPaths(session, symmetry, repair: aligned.count == 2 ? repairer(inputs) : nil, points: points)
        .merged(aligned, inputs)
    } else {
      mean = try Weights.mean(aligned)
    }
    try Safetensors.write(
      inputs.files[0].renamed(mean, of: inputs.network).weights, metadata: metadata, to: merged)
    summary.merged = merged
  }
}

extension Repair.Form: ExpressibleByArgument {}
