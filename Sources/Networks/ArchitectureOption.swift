extension Architecture {
  /// What can be chosen about some network. The raw values are the keys of files and of the command line.
  public enum Option: String, CaseIterable, Sendable, Codable {
    case blocks, width, stem, hidden, depth, heads, patch, head, activation, dropout
    case dropPath = "drop_path"

    public enum Kind: Sendable { case integer, integers, number, text }

    public var kind: Kind {
      switch self {
      case .width, .depth, .heads, .patch: .integer
      case .blocks, .hidden: .integers
      case .dropout, .dropPath: .number
      case .stem, .head, .activation: .text
      }
    }

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

    public var integer: Int? { if case .integer(let value) = self { value } else { nil } }
    public var integers: [Int]? { if case .integers(let value) = self { value } else { nil } }
    public var number: Double? { if case .number(let value) = self { value } else { nil } }
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
    public enum Values: Sendable {
      /// Only the usual value.
      case fixed
      case integer(ClosedRange<Int>)
      /// That many numbers, each within bounds.
      case integers(count: ClosedRange<Int>, ClosedRange<Int>)
      /// At least the lower bound and below the upper.
      case number(Range<Double>)
      case names([String])
    }
    public let option: Option
    /// nil: absent unless chosen.
    public let usual: Value?
    public let values: Values

    public var isFixed: Bool { if case .fixed = values { true } else { false } }

    /// The names it may be, for a choice among names.
    public var names: [String] { if case .names(let names) = values { names } else { [] } }

    static func blocks(_ usual: [Int], isFixed: Bool = false) -> Choice {
      Choice(option: .blocks, usual: .integers(usual), values: isFixed ? .fixed : .integers(count: 1...4, 1...200))
    }
    static func width(_ usual: Int) -> Choice { integer(.width, usual, upTo: 4096) }
    static func integer(_ option: Option, _ usual: Int, upTo most: Int) -> Choice {
      Choice(option: option, usual: .integer(usual), values: .integer(1...most))
    }
    static let stem = Choice(option: .stem, usual: .text("cifar"), values: .names(["cifar", "imagenet"]))
    /// Absent unless chosen, which is `names`' first.
    static func head(_ names: [String]) -> Choice { Choice(option: .head, usual: nil, values: .names(names)) }
    /// Absent unless chosen, which is none.
    static let dropPath = Choice(option: .dropPath, usual: nil, values: .number(0..<1))

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
    func problem(with value: Value, in name: Name) -> String? {
      let isPossible: Bool
      switch (values, value) {
      case (.fixed, _):
        guard value != usual else { return nil }
        return "cannot be changed for \(name.rawValue)"
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
