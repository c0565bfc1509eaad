import ArgumentParser
import Checkpoints
import Foundation
import Networks
import Torch
import Weights

/// What our network computes with another library's weights: logits, loss and gradients, for `Benchmarks/parity` to
/// compare.
///
/// The weights take the way of `valley model import`: any file, names mapped, nothing converted by hand.
struct Parity: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Logits, loss and gradients with a reference's weights.")

  @Option(help: "A file or folder of weights, as `valley model import` takes them.") var weights: String
  @Option(help: "The network.") var model: String
  @Option(name: .customLong("option"), help: "An option of the network that is a word, such as stem=imagenet.")
  var options: [String] = []
  @Option(help: "Safetensors with `input`, [N, 3, H, W] or tokens [N, T], and `labels`.") var data: String
  @Option(help: "Classes.") var classes = 1000
  @Option(help: "cpu, or cuda.") var device = "cpu"
  @Option(help: "Threads.") var threads = 2
  @Flag(help: "Gradients in evaluation mode, for networks with dropout.") var evaluationGradients = false
  @Option(name: .shortAndLong, help: "The safetensors file to write.") var output: String

  func run() throws {
    Libtorch.setThreads(threads)
    guard let name = Architecture.Name(rawValue: model) else { throw ValidationError("there is no network \(model)") }
    var architecture = Architecture(name: name)
    for option in options {
      let parts = option.split(separator: "=").map(String.init)
      guard parts.count == 2, let key = Architecture.Option(rawValue: parts[0]) else {
        throw ValidationError("--option \(option): expected KEY=WORD")
      }
      architecture[key] = .text(parts[1])
    }
    let batch = try Safetensors.read(data).weights
    guard let input = batch["input"], let labels = batch["labels"] else {
      throw ValidationError("\(data) has no input or no labels")
    }
    let shape: InputShape =
      input.rank == 4
      ? .picture(channels: input.shape[1], height: input.shape[2], width: input.shape[3])
      : .tokens(vocabulary: classes, context: input.shape[1])
    let network = try architecture.makeNetwork(input: shape, classes: classes, generator: Generator(seed: 0))
    let messages = try network.loadPretrained(Checkpoint.read(weights).weights.clone())
    for message in messages { FileHandle.standardError.write(Data("\(message)\n".utf8)) }
    let place = try Device(device)
    try network.move(to: place)

    var results = Weights()
    for (name, parameter) in network.parameters() where name.hasPrefix(network.headPrefix) {
      results["head/\(name)"] = parameter.value
    }
    let (x, y) = (try input.to(place), try labels.to(place))
    results["logits_eval"] = try withoutGradients { try network(x, .evaluation) }
    let trainable = network.parameters().filter(\.parameter.isTrainable)
    for (_, parameter) in trainable { try parameter.value.setRequiresGradient(true) }
    let logits = try network(x, evaluationGradients ? .evaluation : .training)
    let loss = try logits.reshape([-1, logits.shape[logits.rank - 1]]).crossEntropy(y.flatten())
    try loss.backward()
    results["logits_train"] = try logits.detach()
    results["loss"] = try loss.detach()
    for (name, parameter) in trainable { results["gradients/\(name)"] = try parameter.value.gradient() }
    try Safetensors.write(results.mapTensors { try $1.detach().to(.cpu) }, to: output)
  }
}
