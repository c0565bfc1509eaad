import Torch

/// A network by its name and what is chosen about it: all it takes, besides the shape of its input and its number of
/// classes, to build one.
///
/// What a name lets one choose is in its `Declaration`; what does not belong to a network has no value.
public struct Architecture: Hashable, Sendable {
  /// Which network it is.
  public let name: Name
  private var values: [Option: Value]

  /// Options that are left out get the name's usual values, where it has any.
  public init(name: Name, options: [Option: Value]) {
    self.init(name: name, values: options.merging(name.declaration.usual) { given, _ in given })
  }

  /// The network with just these values, as read from a file.
  init(name: Name, values: [Option: Value]) { (self.name, self.values) = (name, values) }

  /// The same with an argument for each option; nil: left out.
  public init(
    name: Name, blocks: [Int]? = nil, width: Int? = nil, stem: Stem? = nil, hidden: [Int]? = nil, depth: Int? = nil,
    heads: Int? = nil, patch: Int? = nil, head: String? = nil, activation: Activation? = nil, dropout: Double? = nil,
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

  // MARK: Options

  /// The value of an option, or nil where it has none.
  public subscript(option: Option) -> Value? {
    get { values[option] }
    set { values[option] = newValue }
  }

  /// Residual blocks of each stage.
  public var blocks: [Int]? { self[.blocks]?.integers }
  /// Channels of the first stage, or of a token.
  public var width: Int? { self[.width]?.integer }
  /// How pictures enter.
  public var stem: Stem? { self[.stem]?.text.flatMap(Stem.init) }

  /// What building the network takes an option for: its value, or what leaving it out means. `\.integer` and the like
  /// say what it must be.
  ///
  /// - Throws: `TorchError` where the network has no such option, or a value of another kind.
  func value<T>(_ option: Option, _ kind: KeyPath<Value, T?>) throws -> T {
    let choice = name.declaration.choice(option)
    guard let value = (values[option] ?? choice?.usual ?? choice?.unchosen)?[keyPath: kind] else {
      let found = values[option].map { "is \($0), which is no value of it" } ?? "has no value"
      throw TorchError(operation: name.rawValue, message: "\(option.rawValue) \(found)")
    }
    return value
  }

  /// The same for one of several names.
  func value<T: RawRepresentable>(_ option: Option, as type: T.Type) throws -> T where T.RawValue == String {
    let text = try value(option, \.text)
    guard let value = T(rawValue: text) else {
      throw TorchError(operation: name.rawValue, message: "\(option.rawValue) is \(text), which is none of its names")
    }
    return value
  }

  /// Such as `ResNet18, width 64` or `MLP 256-256`: lists of numbers and the width always, the rest where it is
  /// unusual.
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

  /// What an example for this network usually is: what its paper's were, or 3×32×32 pixels.
  public var usualInput: InputShape { name.declaration.usualInput(self) }

  // MARK: Building

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
    return try name.declaration.make(self, input, classes, generator)
  }

  /// A value that cannot be.
  public struct Problem: Hashable, Sendable {
    /// Of the option, or `name`.
    public let key: String
    /// What is wrong with its value, and what was expected.
    public let message: String
  }

  /// Everything impossible about this network for such an input; empty when it can be built.
  public func problems(input: InputShape) -> [Problem] {
    let declaration = name.declaration
    var problems: [Problem] = []
    for option in Option.allCases {
      guard let value = values[option] else { continue }
      if let choice = declaration.choice(option) {
        guard let message = choice.problem(with: value, in: name.rawValue) else { continue }
        problems.append(Problem(key: option.rawValue, message: message))
      } else {
        let others = declaration.choices.filter { !$0.isFixed }.map { "`\($0.option.rawValue)`" }
        let hint = others.isEmpty ? "" : "; it has \(others.joined(separator: ", "))"
        problems.append(
          Problem(key: option.rawValue, message: "cannot be chosen for \(name.rawValue); leave it out\(hint)"))
      }
    }
    guard problems.isEmpty else { return problems }
    func isWrong(_ text: String) -> [Problem] { [Problem(key: "name", message: "is \(name.rawValue)\(text)")] }
    switch (declaration.input, input) {
    case (.pictures, .tokens): return isWrong(", which looks at pictures; these are tokens")
    case (.tokens, .picture): return isWrong(", which reads tokens; these are pictures")
    case (.pictures, .picture), (.tokens, .tokens):
      do { return try declaration.check(self, input) } catch { return isWrong(": \(error)") }
    }
  }
}

// MARK: - Names and what they declare

extension Architecture {
  /// The name of a network, as files and the command line spell it, with what it declares. A network's own file makes
  /// it; `allCases` lists them.
  public struct Name: Hashable, Sendable {
    /// `resnet18`
    public let rawValue: String
    /// What it is and how it is made.
    public let declaration: Declaration

    init(_ rawValue: String, _ declaration: Declaration) {
      (self.rawValue, self.declaration) = (rawValue, declaration)
    }

    /// Whether they are spelled alike.
    public static func == (a: Name, b: Name) -> Bool { a.rawValue == b.rawValue }
    /// Feeds the spelling.
    public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
  }

  /// What a network is and how it is made.
  public struct Declaration: Sendable {
    /// What a network is given.
    public enum Input: String, Sendable, Codable {
      /// [N, channels, H, W], float32
      case pictures
      /// [N, T], int64
      case tokens
    }

    /// In running text: `ResNet18`
    public let title: String
    /// In a few words.
    public let summary: String
    /// Whose files load unchanged.
    public let reference: String
    /// What it is given.
    public internal(set) var input = Input.pictures
    /// Whether any layer keeps statistics of the activations.
    public internal(set) var hasBatchNorm = false
    /// What one can choose about it, in the order in which it is listed.
    public let choices: [Choice]
    var usualInput: @Sendable (Architecture) -> InputShape = { _ in .square(32) }
    /// What the options' own bounds cannot say.
    var check: @Sendable (Architecture, InputShape) throws -> [Problem] = { _, _ in [] }
    /// The network of the family that has weights of these names and shapes; nil: it has none.
    let guess: @Sendable (TensorShapes) -> Guess?
    /// Builds it from options that were checked, what it is given, its classes, and what draws its weights.
    let make: @Sendable (Architecture, InputShape, Int, Generator) throws -> any Module

    /// The values of options that are left out.
    var usual: [Option: Value] {
      Dictionary(uniqueKeysWithValues: choices.compactMap { choice in choice.usual.map { (choice.option, $0) } })
    }

    /// What an option may be; nil: the network has no such option.
    public func choice(_ option: Option) -> Choice? { choices.first { $0.option == option } }
  }

  /// The network some weights are for, told by their names and shapes.
  public struct Guess: Hashable, Sendable {
    /// Options that the weights do not show have their usual values.
    public let architecture: Architecture
    /// Where any size would do, the usual one.
    public let input: InputShape
    /// nil: the weights have no classifier.
    public let classes: Int?

    init(_ architecture: Architecture, input: InputShape, classes: Int?) {
      (self.architecture, self.input, self.classes) = (architecture, input, classes)
    }

    /// A network that takes pictures of any size.
    init(_ architecture: Architecture, channels: Int, classes: Int?) {
      let size = if case .picture(_, let height, _) = architecture.usualInput { height } else { 32 }
      self.init(architecture, input: .square(size, channels: channels), classes: classes)
    }
  }

  /// The network under another name, if its options are the usual ones of that name.
  func named(_ name: Name) -> Architecture {
    let named = Architecture(name: name, options: values)
    return named == Architecture(name: name) ? named : self
  }
}
