import Alignment
import ArgumentParser
import Foundation
import Workbench

/// `valley align`: permutes the units of networks so that they lie in one basin.
struct AlignCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "align",
    abstract: "Permute the units of a network so that it can be merged with another.",
    discussion: """
      Two networks trained from different initialisations do not merge: what one does in one neuron, the other does in \
      another. Aligning finds which neurons, channels and heads of B correspond to which of A, and writes B with them \
      in A's order: the same function with the same names and types, at a point that lies closer to A.

      --method weight needs only the files. activation compares what units do on examples; straight-through trains the \
      order so that the midpoint does well. Both need the data that the networks were trained on. With data, loss and \
      accuracy between the networks are measured before and after. Averaged activations vary too little: BatchNorm \
      statistics are re-estimated (--batchnorm), and --repair rescales the units of networks without BatchNorm.

      With more than two networks, each is aligned to the first, or all to their mean (--reference mean); OUT is then \
      a folder.

      EXAMPLES
        valley align a.safetensors b.safetensors -o b-aligned.safetensors
        valley align a.safetensors b.safetensors -o b-aligned.safetensors --model resnet20 --data cifar10
        valley align a.safetensors b.safetensors -o b-aligned.safetensors --run out/first --method activation
        valley align a.pt b.pt -o b.safetensors --model vgg11 --data cifar10 --repair --merged merged.safetensors
        valley align a.safetensors b.safetensors c.safetensors -o aligned --reference mean
      """)

  @Argument(help: "The weights, the reference first: files or folders, as for `valley model import`.")
  var weights: [String]
  @Option(
    name: .shortAndLong,
    help: "The safetensors file to write; with more than two networks, or with --reference mean, a folder.")
  var output: String
  @Option(help: "How to match units: weight, activation or straight-through.")
  var method = AlignmentMethod.weight
  @Option(help: "What to align to: the first network, or the mean of all.")
  var reference = AlignmentReference.first
  @Flag(help: "Rescale the units of merged networks without BatchNorm (REPAIR).") var repair = false
  @Option(help: "How REPAIR finds the scales: measured on data layer by layer, or in closed form.  (default: measured)")
  var repairForm: Repair.Form?
  @Option(help: "Also write the mean of the aligned networks, repaired with --repair.") var merged: String?
  @Option(help: "The seed of the order in which groups of units are matched.") var seed: UInt64 = 0
  @Option(help: "How often to start weight matching; the best result is kept.") var starts = 1
  @Option(help: "The most sweeps over all groups.") var sweeps = 100
  @Option(help: "Batches of straight-through matching.  (default: 100)") var steps: Int?
  @Option(help: "Examples for activation matching and REPAIR.") var matchExamples = 1000
  @Option(help: "Points on each path measured before and after, including both ends.") var points = 3
  @Flag(help: "Replace files that exist.") var force = false
  @OptionGroup(title: "Network, data and measuring") var options: LandscapeOptions

  private var alignment: CheckpointAlignment {
    CheckpointAlignment(
      method: method, reference: reference, seed: seed, starts: starts, sweeps: sweeps, steps: steps ?? 100,
      matchExamples: matchExamples, repair: repair ? repairForm ?? .measured : nil, points: points)
  }

  private var isSingle: Bool { weights.count == 2 && reference == .first }

  func validate() throws {
    try validating { try alignment.check(networks: weights.count) }
    if isSingle != output.hasSuffix(".safetensors") {
      throw ValidationError(
        isSingle
          ? "-o \(output): one aligned network is written to a file whose name ends in .safetensors"
          : "-o \(output): several aligned networks are written to a folder, not to a .safetensors file")
    }
    if let merged, !merged.hasSuffix(".safetensors") {
      throw ValidationError("--merged \(merged): expected a file whose name ends in .safetensors")
    }
    if repairForm != nil, !repair { throw ValidationError("--repair-form belongs to --repair; add that too") }
    if steps != nil, method != .straightThrough {
      throw ValidationError("--steps belongs to --method straight-through, not to \(method.rawValue)")
    }
  }

  /// Where each network goes; nil: the reference, which stays where it is.
  private func targets() throws -> [String?] {
    if isSingle { return [nil, output] }
    let names = weights.map { URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent }
    guard Set(names).count == names.count else {
      throw CommandError(
        "the files \(names.joined(separator: ", ")) have the same name, for which \(output) has room only once; "
          + "copy them under different names")
    }
    return names.enumerated().map { index, name in
      index == 0 && reference == .first ? nil : "\(output)/\(name).safetensors"
    }
  }

  func run() throws {
    let targets = try targets()
    for path in targets.compactMap(\.self) + [merged].compactMap(\.self) { try requireAbsent(path, unless: force) }
    let report = Reporter()
    options.setting.prepare()
    var aligned = try alignment.align(
      weights, from: options.setting.source, measuring: options.measuring, report: report.listener)
    if !isSingle { try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true) }
    try aligned.write(to: targets, merged: merged, report: report.listener)
    if options.json { return try printJSON(aligned.summary) }
    print(aligned.summary.text)
  }
}
