import Alignment
import ArgumentParser
import Checkpoints
import Networks
import Torch
import Weights

/// Weight matching of two networks, from weights in memory to permutations.
struct MatchingSpeed: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "matching", abstract: "Match the units of two networks by their weights.")

  @OptionGroup var options: RepetitionOptions

  @Option(help: "mlp: 3072-512-512-512-512-512-512-10; resnet20: width 64.") var model = Model.mlp
  @Option(help: "A file of both networks' weights: a/… and b/….") var weights: String

  enum Model: String, ExpressibleByArgument { case mlp, resnet20 }

  func run() throws {
    let generator = try Generator(seed: 0)
    let network: any Module =
      model == .mlp
      ? try MLP(inputs: 3072, hidden: Array(repeating: 512, count: 6), classes: 10, generator: generator)
      : try ResNet(blocks: [3, 3, 3], width: 64, classes: 10, generator: generator)
    let both = try Safetensors.read(weights).weights.clone()
    let sides = ["a/", "b/"].map { prefix in
      Weights(
        both.filter { $0.0.hasPrefix(prefix) }.map { (String($0.0.dropFirst(2)), $0.1) })
    }
    let symmetry = try Symmetry(of: network)
    var objective = 0.0
    var timing = try Timing.measure("matching", options) {
      objective = try WeightMatching().match(sides[1], to: sides[0], symmetry).objective
    }
    timing.objective = objective
    try timing.report()
  }
}
