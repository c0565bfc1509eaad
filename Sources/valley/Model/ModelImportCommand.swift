import ArgumentParser
import Checkpoints
import Foundation
import Networks
import Support
import Torch
import Workbench

/// `valley model import`: another library's weights, checked against a network of ours and written as safetensors.
struct ModelImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Check weights from any file against a network, and write them as safetensors.",
    discussion: """
      FILE is a safetensors file, the index of a sharded one, a file of torch.save (.pt, .pth, .bin; nothing in it is \
      executed) or a Hugging Face folder. The network is recognised by names and shapes, or named with --model. Every \
      change is reported: names of other libraries, a classifier for another number of classes, a position embedding \
      for pictures of another size, half precision.

      The other commands take all these files as they are. Import a file to look at it, to check it, or to keep it in \
      one form.

      EXAMPLES
        valley model import resnet50-0676ba61.pth -o resnet50.safetensors
        valley model import vit_small_patch16_224.bin --classes 10 --size 32 -o vit.safetensors
        valley model import checkpoint.pt#state_dict_ema --model resnet18 -o ema.safetensors
        valley model import unknown.pt --inspect
      """)

  @Argument(help: "A file or folder; FILE.pt#KEY names one of several dictionaries in it.", completion: .file())
  var file: String
  @Option(help: "The network: see `valley model list`.  (default: recognised by the names)") var model: String?
  @OptionGroup var options: NetworkOptions
  @Option(name: .shortAndLong, help: "The safetensors file to write; without it the weights are only checked.")
  var output: String?
  @Option(help: "The seed for a classifier that has to be replaced.") var seed: UInt64 = 0
  @Flag(help: "Only list the tensors.") var inspect = false
  @Flag(help: "Replace the file if it exists.") var force = false
  @Flag(help: "Print JSON.") var json = false

  struct Tensor: Encodable {
    var name: String
    var shape: [Int]
    var dtype: String
  }

  struct Summary: Encodable {
    var file: String
    var format: Checkpoint.Format
    var files: [String]
    var tensors: [Tensor]
    var numbers: Int
    var model: Architecture?
    var input: InputShape?
    var classes: Int?
    var messages: [String]
    var output: String?
  }

  func run() throws {
    if let output { try requireAbsent(output, unless: force) }
    let name = try model.map { try Architecture.Name.named($0) }
    let checkpoint = try Checkpoint.read(file)
    var summary = Summary(
      file: file, format: checkpoint.format, files: checkpoint.files,
      tensors: checkpoint.weights.map {
        Tensor(name: $0, shape: $1.shape, dtype: $1.dtype.description)
      }, numbers: checkpoint.weights.elementCount, messages: checkpoint.notes)
    let guess = Architecture.guess(from: checkpoint.weights)
    if inspect || (name == nil && guess == nil) {
      guard inspect || output == nil else {
        throw CommandError(
          "\(file): its names match no network here; name one with --model, or look at them with --inspect. The first: "
            + checkpoint.weights.names.prefix(5).joined(separator: ", "))
      }
      return try show(summary, guess)
    }
    try importing(checkpoint, name, guess, &summary)
  }

  private func importing(
    _ checkpoint: Checkpoint, _ name: Architecture.Name?, _ guess: Architecture.Guess?, _ summary: inout Summary
  ) throws {
    let isGuessed = name == nil || (name == guess?.architecture.name && options.assignments.isEmpty)
    let architecture =
      try isGuessed
      ? guess?.architecture ?? options.architecture(name ?? .resnet) : options.architecture(name ?? .resnet)
    let input = options.input(isGuessed ? guess?.input ?? architecture.usualInput : architecture.usualInput)
    var classes = options.classes ?? guess?.classes ?? 1000
    if case .tokens(let vocabulary, _) = input { classes = vocabulary }
    let network = try architecture.makeNetwork(input: input, classes: classes, generator: Generator(seed: seed))
    do {
      summary.messages += try network.loadPretrained(checkpoint.weights)
    } catch let error as FileError {
      throw FileError(
        file,
        "\(error.message)\nThe network is \(architecture.summary) for \(input) and \(classes) classes"
          + (name == nil ? ", as its names suggest; name another with --model, --set, --size" : ""))
    }
    (summary.model, summary.input, summary.classes) = (architecture, input, classes)
    if let output {
      let metadata = [
        "format": "pt", "import.file": URL(fileURLWithPath: file).lastPathComponent,
        "import.model": try jsonText(architecture),
      ]
      try Safetensors.write(network.weights, metadata: metadata, to: output)
      summary.output = output
    }
    if json { return try printJSON(summary) }
    for message in summary.messages { print(message) }
    let weights = network.weights
    print(
      "\(output ?? file)\(output == nil ? " fits" : " =") \(architecture.summary) for \(input) and \(classes) classes: "
        + "\(weights.count) tensors, \(weights.elementCount) numbers")
  }

  private func show(_ summary: Summary, _ guess: Architecture.Guess?) throws {
    var summary = summary
    (summary.model, summary.input, summary.classes) = (guess?.architecture, guess?.input, guess?.classes)
    if json { return try printJSON(summary) }
    for message in summary.messages { print(message) }
    var table = TextTable(["tensor", "shape", "type"])
    table.rows = summary.tensors.map {
      [$0.name, $0.shape.isEmpty ? "number" : $0.shape.map(String.init).joined(separator: "×"), $0.dtype]
    }
    print(table.text)
    print("\(summary.format.rawValue), \(summary.tensors.count) tensors, \(summary.numbers) numbers")
    print(
      guess.map { "the names suggest \($0.architecture.summary) for \($0.input)" } ?? "the names match no network here"
    )
  }
}
