/// How long a phase of training lasts, in epochs (passes over the training set) or in optimizer steps.
///
/// Written `"25 epochs"`, `"200 steps"`, or as a bare number of epochs. Coded as the text of `description`.
public enum TrainingLength: Hashable, Sendable {
  /// Passes over the training set, not necessarily whole
  case epochs(Double)
  /// Optimizer steps
  case steps(Int)

  /// No steps.
  public static let zero = TrainingLength.steps(0)

  /// The number of optimizer steps: epochs times `stepsPerEpoch`, rounded to the nearest whole step, at most
  /// `Int32.max`.
  public func steps(stepsPerEpoch: Int) -> Int {
    switch self {
    case .steps(let steps): return steps
    case .epochs(let epochs):
      let steps = (epochs * Double(stepsPerEpoch)).rounded()
      return steps.isFinite ? Int(min(max(steps, 0), Double(Int32.max))) : Int(Int32.max)
    }
  }

  /// The number in its own unit, epochs or steps.
  public var value: Double {
    switch self {
    case .epochs(let epochs): epochs
    case .steps(let steps): Double(steps)
    }
  }
}

extension TrainingLength: LosslessStringConvertible, Codable {
  /// Reads `"25 epochs"`, `"1 epoch"`, `"0.5epochs"`, `"200 steps"` or `"25"` (epochs). nil for anything else, and for
  /// lengths that are negative or not finite.
  public init?(_ text: String) {
    var number = Substring(text.trimmed)
    var inSteps = false
    for (unit, isSteps) in [("epochs", false), ("epoch", false), ("steps", true), ("step", true)]
    where number.hasSuffix(unit) {
      number = number.dropLast(unit.count)
      inSteps = isSteps
      break
    }
    guard let value = Double(String(number).trimmed), value.isFinite, value >= 0 else { return nil }
    if inSteps {
      guard let steps = Int(exactly: value), steps <= Int(Int32.max) else { return nil }
      self = .steps(steps)
    } else {
      self = .epochs(value)
    }
  }

  /// "25 epochs", "1 epoch", "200 steps"
  public var description: String {
    switch self {
    case .epochs(let epochs):
      let number = Int(exactly: epochs).map(String.init) ?? String(epochs)
      return "\(number) \(epochs == 1 ? "epoch" : "epochs")"
    case .steps(let steps): return "\(steps) \(steps == 1 ? "step" : "steps")"
    }
  }

  /// Reads the text that `description` gives.
  ///
  /// - Throws: `DecodingError` for a text that is no length.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let length = TrainingLength(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\"\(text)\" is not a length such as \"25 epochs\" or \"200 steps\"")
    }
    self = length
  }

  /// Writes `description`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension String {
  fileprivate var trimmed: String {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(self[first...last])
  }
}
