import ArgumentParser
import Foundation
import Networks
import Support
import Torch

/// `valley model`: the networks there are, what they are made of, and weights from elsewhere.
struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model",
    abstract: "List networks, show their layers, and import weights from other libraries.",
    subcommands: [ModelListCommand.self, ModelShowCommand.self, ModelImportCommand.self])
}

/// `valley model list`
struct ModelListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the networks and their options.")

  @Flag(help: "Print JSON.") var json = false

  struct Listed: Encodable {
    struct Choice: Encodable { var option, usual, meaning, expected: String }
    var name, title, summary, reference: String
    var input: Architecture.Declaration.Input
    var options: [Choice]
  }

  func run() throws {
    let listed = Architecture.Name.allCases.map { name in
      let declaration = name.declaration
      return Listed(
        name: name.rawValue, title: declaration.title, summary: declaration.summary, reference: declaration.reference,
        input: declaration.input,
        options: declaration.choices.map {
          .init(
            option: $0.option.rawValue, usual: $0.usual?.description ?? "none", meaning: $0.option.meaning,
            expected: $0.expected)
        })
    }
    if json { return try printJSON(listed) }
    var table = TextTable(["name", "network", "files load from", "options (usual value)"])
    for network in listed {
      let options = network.options.map { "\($0.option) (\($0.usual))" }
      table.rows.append([
        network.name, "\(network.title), \(network.summary)", network.reference, options.joined(separator: ", "),
      ])
    }
    print(table.text)
  }
}

/// `valley model show`
struct ModelShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show a network's layers with output shapes, parameters and multiply-adds.",
    discussion: """
      Multiply-adds are those of one example in convolutions, linear layers, matrix products and attention: half of \
      what torch.utils.flop_counter calls operations. They are counted in one pass on zeros.

      EXAMPLES
        valley model show resnet18
        valley model show resnet50 --set stem=imagenet --size 224 --classes 1000
        valley model show gpt2 --context 256 --json
      """)

  @Argument(
    help: "The network: see `valley model list`.", completion: .list(Architecture.Name.allCases.map(\.rawValue)))
  var name: String
  @OptionGroup var options: NetworkOptions
  @Flag(help: "Print JSON.") var json = false

  struct Summary: Encodable {
    var name, summary, reference: String
    var input: InputShape
    var classes: Int
    var options: [String: String]
    var layers: [LayerTable.Layer]
    var parameters, buffers, multiplyAdds: Int
  }

  func run() throws {
    let name = try Architecture.Name.named(name)
    let architecture = try options.architecture(name)
    let input = options.input(architecture.usualInput)
    let isLarge = if case .picture(_, let height, _) = architecture.usualInput { height > 32 } else { false }
    var classes = options.classes ?? (isLarge ? 1000 : 10)
    if case .tokens(let vocabulary, _) = input { classes = vocabulary }
    let network = try architecture.makeNetwork(input: input, classes: classes, generator: Generator(seed: 0))
    let table = try LayerTable(network, input: input)
    if json {
      let chosen = Architecture.Option.allCases.compactMap { option in
        architecture[option].map { (option.rawValue, $0.description) }
      }
      return try printJSON(
        Summary(
          name: name.rawValue, summary: architecture.summary, reference: name.declaration.reference, input: input,
          classes: classes, options: Dictionary(uniqueKeysWithValues: chosen), layers: table.layers,
          parameters: table.parameters, buffers: table.buffers, multiplyAdds: table.multiplyAdds))
    }
    print("\(architecture.summary): \(name.declaration.summary)")
    print("files load from: \(name.declaration.reference)")
    print("input: \(input); \(classes) classes")
    for choice in name.declaration.choices {
      let value = architecture[choice.option]?.description ?? "none"
      print(
        "  \(choice.option.rawValue) = \(value)  \(choice.option.meaning); "
          + (choice.isFixed ? "fixed" : choice.expected)
      )
    }
    print()
    var text = TextTable(["layer", "output", "parameters", "multiply-adds"])
    for layer in table.layers {
      text.rows.append([
        layer.name, layer.output.map { $0.map(String.init).joined(separator: "×") } ?? "–", grouped(layer.parameters),
        grouped(layer.multiplyAdds),
      ])
    }
    text.rows.append(["total", "", grouped(table.parameters), grouped(table.multiplyAdds)])
    print(text.text)
    if table.buffers > 0 { print("and \(grouped(table.buffers)) numbers in buffers, which are not trained") }
  }

  /// 1 234 567
  private func grouped(_ number: Int) -> String {
    let digits = Array(String(number))
    return String(
      digits.enumerated().flatMap { index, digit -> [Character] in
        index > 0 && (digits.count - index) % 3 == 0 ? [" ", digit] : [digit]
      })
  }
}

extension Architecture.Name {
  /// - Throws: `CommandError` with the names there are.
  static func named(_ text: String) throws -> Architecture.Name {
    guard let name = Architecture.Name(rawValue: text) ?? Architecture.Name(rawValue: text.lowercased()) else {
      let names = allCases.map(\.rawValue)
      let guess = closest(to: text, in: names).map { "; did you mean \($0)?" } ?? "."
      throw CommandError("there is no network \(text)\(guess) There are \(names.joined(separator: ", "))")
    }
    return name
  }
}
