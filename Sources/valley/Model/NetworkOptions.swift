import ArgumentParser
import Networks

/// The options that say how large a network is and what it is given.
struct NetworkOptions: ParsableArguments {
  @Option(
    name: .customLong("set"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("An option of the network, such as width=64; may be repeated.", valueName: "key=value"))
  var assignments: [String] = []
  @Option(help: "How many classes the network tells apart.") var classes: Int?
  @Option(help: "Width and height of the pictures in pixels.") var size: Int?
  @Option(help: "Channels of the pictures, such as 3 for colour.") var channels: Int?
  @Option(help: "Size of a language model's vocabulary, in tokens.") var vocabulary: Int?
  @Option(help: "Longest sequence of a language model, in tokens.") var context: Int?

  func validate() throws {
    for (name, value) in [
      ("classes", classes), ("size", size), ("channels", channels), ("vocabulary", vocabulary), ("context", context),
    ] {
      if let value, !(1...10_000_000).contains(value) {
        throw ValidationError("--\(name) is \(value); expected 1 or more")
      }
    }
  }

  /// The network called `name` with the values given here.
  func architecture(_ name: Architecture.Name) throws -> Architecture {
    var options: [Architecture.Option: Architecture.Value] = [:]
    for assignment in assignments {
      let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let choices = name.declaration.choices.map(\.option.rawValue)
      guard parts.count == 2, let option = Architecture.Option(rawValue: parts[0]) else {
        throw ValidationError(
          "--set \(assignment): expected KEY=VALUE; \(name.rawValue) has \(choices.joined(separator: ", "))")
      }
      guard let value = Architecture.Value(parts[1], kind: option.kind) else {
        throw ValidationError(
          "--set \(assignment): '\(parts[1])' is not a value for \(option.rawValue): \(option.meaning)")
      }
      options[option] = value
    }
    return Architecture(name: name, options: options)
  }

  /// `usual` with the sizes given here.
  func input(_ usual: InputShape) -> InputShape {
    switch usual {
    case .picture(let usualChannels, let height, let width):
      .picture(channels: channels ?? usualChannels, height: size ?? height, width: size ?? width)
    case .tokens(let usualVocabulary, let usualContext):
      .tokens(vocabulary: vocabulary ?? usualVocabulary, context: context ?? usualContext)
    }
  }
}

extension Architecture.Value {
  /// The value that a text on the command line stands for: `64`, `2,2,2,2`, `0.1`, `cifar`.
  fileprivate init?(_ text: String, kind: Architecture.Option.Kind) {
    switch kind {
    case .integer:
      guard let value = Int(text) else { return nil }
      self = .integer(value)
    case .integers:
      let parts = text.trimmingPrefix("[").split(separator: ",").map { $0.filter { $0 != " " && $0 != "]" } }
      let values = parts.compactMap { Int($0) }
      guard values.count == parts.count else { return nil }
      self = .integers(values)
    case .number:
      guard let value = Double(text), value.isFinite else { return nil }
      self = .number(value)
    case .text: self = .text(text)
    }
  }
}
