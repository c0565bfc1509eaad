import Torch

/// A network by its name and what is chosen about it: all it takes, besides the shape of its input and its number of classes, to build one.
///
/// What each name lets one choose is declared in `Architecture.Declaration`; what does not belong to a network has no value.
public struct Architecture: Hashable, Sendable {
  public let name: Name
  private var values: [Option: Value]

  /// Options that are left out get the name's usual values, where it has any.
  public init(name: Name, options: [Option: Value]) {
    self.name = name
    values = options.merging(name.declaration.usual) { given, _ in given }
  }

  public init(
    name: Name, blocks: [Int]? = nil, width: Int? = nil, stem: Stem? = nil, hidden: [Int]? = nil, depth: Int? = nil,
    heads: Int? = nil, patch: Int? = nil, head: String? = nil, activation: Activation? = nil,
    dropout: Double? = nil,
    dropPath: Double? = nil
  ) {
    let given: [(Option, Value?)] = [
      (.blocks, blocks.map(Value.integers)), (.width, width.map(Value.integer)),
      (.stem, stem.map { .text($0.rawValue) }), (.hidden, hidden.map(Value.integers)),
      (.depth, depth.map(Value.integer)), (.heads, heads.map(Value.integer)), (.patch, patch.map(Value.integer)),
      (.head, head.map(Value.text)), (.activation, activation.map { .text($0.rawValue) }),
      (.dropout, dropout.map(Value.number)), (.dropPath, dropPath.map(Value.number)),
    ]
    self.init(
      name: name, options: Dictionary(uniqueKeysWithValues: given.compactMap { key, value in value.map { (key, $0) } }))
  }

  public subscript(option: Option) -> Value? {
    get { values[option] }
    set { values[option] = newValue }
  }

  /// Residual blocks of each stage.
  public var blocks: [Int]? { self[.blocks]?.integers }
  /// Channels of the first stage, or of a token.
  public var width: Int? { self[.width]?.integer }
  public var stem: Stem? { self[.stem]?.text.flatMap(Stem.init) }
  /// Widths of the hidden layers.
  public var hidden: [Int]? { self[.hidden]?.integers }

  /// How pictures enter a convolutional network.
  public enum Stem: String, Codable, CaseIterable, Sendable {
    /// 3×3 convolution, no pooling
    case cifar
    /// 7×7 convolution with stride 2 and max pooling
    case imagenet
  }

  /// Such as `ResNet18, width 64` or `MLP 256-256`: lists of numbers and the width always, the rest where it is unusual.
  public var summary: String {
    let declaration = name.declaration
    var text = declaration.title
    for choice in declaration.choices where !choice.isFixed {
      guard let value = self[choice.option] else { continue }
      if case .integers = value {
        text += " \(value)"
      } else if choice.option == .width || value != choice.usual {
        text += ", \(choice.option.rawValue.replacing("_", with: " ")) \(value)"
      }
    }
    return text
  }

  /// The network with freshly drawn weights.
  ///
  /// - Parameters:
  ///   - generator: draws the weights, and later what layers such as dropout draw
  /// - Throws: `TorchError` with everything that is impossible about it.
  public func makeNetwork(input: InputShape, classes: Int, generator: Generator) throws -> any Module {
    let problems = problems(input: input)
    guard problems.isEmpty, classes > 0 else {
      let texts =
        problems.map { "\($0.key) \($0.message)" } + (classes > 0 ? [] : ["\(classes) classes; expected 1 or more"])
      throw TorchError(operation: name.rawValue, message: texts.joined(separator: "; "))
    }
    return try name.declaration.make(Parts(architecture: self, input: input, classes: classes, generator: generator))
  }

  /// A value that cannot be: under which key, and what was expected.
  public struct Problem: Hashable, Sendable {
    public let key: String
    public let message: String
  }

  /// Everything impossible about this network for such an input; empty when it can be built.
  public func problems(input: InputShape) -> [Problem] {
    let declaration = name.declaration
    var problems: [Problem] = []
    for option in Option.allCases {
      guard let choice = declaration.choices.first(where: { $0.option == option }) else {
        if values[option] != nil {
          let others = declaration.choices.filter { !$0.isFixed }.map { "`\($0.option.rawValue)`" }
          let hint = others.isEmpty ? "" : "; it has \(others.joined(separator: ", "))"
          problems.append(
            Problem(key: option.rawValue, message: "cannot be chosen for \(name.rawValue); leave it out\(hint)"))
        }
        continue
      }
      guard let value = values[option] else { continue }
      if let message = choice.problem(with: value, in: name) {
        problems.append(Problem(key: option.rawValue, message: message))
      }
    }
    guard problems.isEmpty else { return problems }
    switch (declaration.input, input) {
    case (.pictures, .picture), (.tokens, .tokens): return declaration.check(self, input)
    case (.pictures, .tokens):
      return [Problem(key: "name", message: "is \(name.rawValue), which looks at pictures; these are tokens")]
    case (.tokens, .picture):
      return [Problem(key: "name", message: "is \(name.rawValue), which reads tokens; these are pictures")]
    }
  }
}

extension Architecture: Codable {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    name = try container.decode(Name.self, forKey: Key(stringValue: "name"))
    values = [:]
    for option in Option.allCases {
      let key = Key(stringValue: option.rawValue)
      values[option] =
        switch option.kind {
        case .integer: try container.decodeIfPresent(Int.self, forKey: key).map(Value.integer)
        case .integers: try container.decodeIfPresent([Int].self, forKey: key).map(Value.integers)
        case .number: try container.decodeIfPresent(Double.self, forKey: key).map(Value.number)
        case .text: try container.decodeIfPresent(String.self, forKey: key).map(Value.text)
        }
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(name, forKey: Key(stringValue: "name"))
    for option in Option.allCases {
      guard let value = values[option] else { continue }
      let key = Key(stringValue: option.rawValue)
      switch value {
      case .integer(let value): try container.encode(value, forKey: key)
      case .integers(let value): try container.encode(value, forKey: key)
      case .number(let value): try container.encode(value, forKey: key)
      case .text(let value): try container.encode(value, forKey: key)
      }
    }
  }
}
