extension Architecture {
  /// What can be chosen about some network. The raw values are the keys of files and of the command line; `meaning`
  /// says what each is.
  public enum Option: String, CaseIterable, Sendable, Codable {
    case blocks, width, stem, hidden, depth, heads, patch, head, activation, dropout
    case dropPath = "drop_path"

    /// What a value is.
    public enum Kind: Sendable { case integer, integers, number, text }

    /// What its values are.
    public var kind: Kind {
      switch self {
      case .width, .depth, .heads, .patch: .integer
      case .blocks, .hidden: .integers
      case .dropout, .dropPath: .number
      case .stem, .head, .activation: .text
      }
    }

    /// In a few words, for help.
    public var meaning: String {
      switch self {
      case .blocks: "residual blocks or layers of each stage"
      case .width: "channels of the first stage, or of a token"
      case .stem: "how pictures enter: cifar keeps their size, imagenet quarters it"
      case .hidden: "units of each hidden layer"
      case .depth: "transformer blocks"
      case .heads: "attention heads of a block"
      case .patch: "pixels a side of what becomes a token or a pixel of the first stage"
      case .head: "how features become logits"
      case .activation: "the curve between a block's two linear layers"
      case .dropout: "probability that an element is zeroed in training"
      case .dropPath:
        "probability that an example skips the last block in training; it grows evenly from 0 in the first"
      }
    }
  }

  /// The value of an option.
  public enum Value: Hashable, Sendable, CustomStringConvertible {
    case integer(Int)
    case integers([Int])
    case number(Double)
    case text(String)

    /// nil: it is of another kind.
    public var integer: Int? { if case .integer(let value) = self { value } else { nil } }
    /// nil: it is of another kind.
    public var integers: [Int]? { if case .integers(let value) = self { value } else { nil } }
    /// nil: it is of another kind.
    public var number: Double? { if case .number(let value) = self { value } else { nil } }
    /// nil: it is of another kind.
    public var text: String? { if case .text(let value) = self { value } else { nil } }

    /// `64`, `2-2-2-2`, `0.1`, `cifar`
    public var description: String {
      switch self {
      case .integer(let value): "\(value)"
      case .integers(let values): values.isEmpty ? "none" : values.map(String.init).joined(separator: "-")
      case .number(let value): "\(value)"
      case .text(let value): value
      }
    }
  }

  /// An option of one network: its usual value and what it may be.
  public struct Choice: Sendable {
    /// What an option may be.
    public enum Values: Sendable {
      /// Only the usual value.
      case fixed
      /// A number within bounds.
      case integer(ClosedRange<Int>)
      /// That many numbers, each within bounds.
      case integers(count: ClosedRange<Int>, ClosedRange<Int>)
      /// At least the lower bound and below the upper.
      case number(Range<Double>)
      /// One of them.
      case names([String])
    }
    /// Which option it is.
    public let option: Option
    /// Its value where none is given; nil: it then has none, and is not written into files.
    public let usual: Value?
    /// What a network without a value is built with.
    let unchosen: Value?
    /// What it may be.
    public let values: Values

    init(_ option: Option, usual: Value? = nil, unchosen: Value? = nil, _ values: Values) {
      (self.option, self.usual, self.unchosen, self.values) = (option, usual, unchosen, values)
    }

    /// Whether its value cannot be chosen.
    public var isFixed: Bool { if case .fixed = values { true } else { false } }

    /// The names it may be, for a choice among names.
    public var names: [String] { if case .names(let names) = values { names } else { [] } }

    static func blocks(_ usual: [Int], isFixed: Bool = false) -> Choice {
      Choice(.blocks, usual: .integers(usual), isFixed ? .fixed : .integers(count: 1...4, 1...200))
    }
    static func width(_ usual: Int) -> Choice { integer(.width, usual, upTo: 4096) }
    static func integer(_ option: Option, _ usual: Int, upTo most: Int) -> Choice {
      Choice(option, usual: .integer(usual), .integer(1...most))
    }
    static let stem = Choice(.stem, usual: .text("cifar"), .names(["cifar", "imagenet"]))
    /// Absent unless chosen, which is the first of `names`.
    static func names(_ option: Option, _ names: [String]) -> Choice {
      Choice(option, unchosen: names.first.map(Value.text), .names(names))
    }
    /// Absent unless chosen, which is 0.
    static func probability(_ option: Option) -> Choice { Choice(option, unchosen: .number(0), .number(0..<1)) }

    /// Width, depth and heads of a transformer.
    static func transformer(width: Int, depth: Int, heads: Int) -> [Choice] {
      [.integer(.width, width, upTo: 65_536), .integer(.depth, depth, upTo: 1000), .integer(.heads, heads, upTo: 1024)]
    }

    /// What it may be, in words.
    public var expected: String {
      switch values {
      case .fixed: usual.map { "\($0)" } ?? "nothing"
      case .integer(let range): "a whole number between \(range.lowerBound) and \(range.upperBound)"
      case .integers(let count, let range):
        "\(count.lowerBound) … \(count.upperBound) numbers between \(range.lowerBound) and \(range.upperBound)"
      case .number(let range): "at least \(range.lowerBound) and below \(range.upperBound)"
      case .names(let names): names.joined(separator: " or ")
      }
    }

    /// What is wrong with a value, or nil.
    ///
    /// - Parameter network: whose option it is
    func problem(with value: Value, in network: String) -> String? {
      let isPossible: Bool
      switch (values, value) {
      case (.fixed, _):
        guard value != usual else { return nil }
        return "cannot be changed for \(network)"
          + (option == .blocks ? "; use `name: resnet` with your own blocks" : "; leave it out")
      case (.integer(let range), .integer(let number)): isPossible = range.contains(number)
      case (.integers(let count, let range), .integers(let numbers)):
        isPossible = count.contains(numbers.count) && numbers.allSatisfy(range.contains)
      case (.number(let range), .number(let number)): isPossible = range.contains(number)
      case (.names(let names), .text(let text)): isPossible = names.contains(text)
      default: isPossible = false
      }
      return isPossible ? nil : "is \(value); expected \(expected)"
    }
  }
}
