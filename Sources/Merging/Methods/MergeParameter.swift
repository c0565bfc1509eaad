/// One setting of a merge method: what it is called, what it may be, what it means. Validation, help, studies and
/// documentation read the same declaration.
public struct MergeParameter: Sendable, Hashable, Codable {
  /// What a value is. All are kept as numbers: a flag as 1 or 0, a choice as the place of its word.
  public enum Kind: String, Sendable, Hashable, Codable { case number, integer, flag, choice }

  /// mergekit's name, where mergekit has the parameter.
  public let name: String
  /// What its values are.
  public let kind: Kind
  /// The least value allowed; nil is no limit.
  public let minimum: Double?
  /// The greatest value allowed; nil is no limit.
  public let maximum: Double?
  /// nil where a value must be given.
  public let defaultValue: Double?
  /// Whether each model may have its own value; one value then stands for all.
  public let perModel: Bool
  /// What it does, in a phrase for help and documentation.
  public let meaning: String
  /// The words to choose from; empty for other kinds.
  public let words: [String]

  private init(
    _ name: String, _ kind: Kind, _ minimum: Double?, _ maximum: Double?, _ defaultValue: Double?, _ perModel: Bool,
    _ meaning: String, words: [String] = []
  ) {
    (self.name, self.kind, self.minimum, self.maximum) = (name, kind, minimum, maximum)
    (self.defaultValue, self.perModel, self.meaning, self.words) = (defaultValue, perModel, meaning, words)
  }

  /// A number within a range.
  ///
  /// - Parameters:
  ///   - name: as recipes and the command line call it
  ///   - minimum: the least value allowed
  ///   - maximum: the greatest value allowed
  ///   - value: the default; nil where a value must be given
  ///   - perModel: whether each model may have its own
  ///   - meaning: what it does, in a phrase
  public static func number(
    _ name: String, from minimum: Double? = nil, to maximum: Double? = nil, default value: Double?,
    perModel: Bool = false, _ meaning: String
  ) -> MergeParameter {
    MergeParameter(name, .number, minimum, maximum, value, perModel, meaning)
  }

  /// A whole number from `minimum` on.
  public static func integer(_ name: String, from minimum: Double, default value: Double, _ meaning: String)
    -> MergeParameter
  {
    MergeParameter(name, .integer, minimum, nil, value, false, meaning)
  }

  /// True or false.
  public static func flag(_ name: String, default value: Bool, _ meaning: String) -> MergeParameter {
    MergeParameter(name, .flag, nil, nil, value ? 1 : 0, false, meaning)
  }

  /// One of several words, the first of which is the default.
  public static func choice(_ name: String, of words: [String], _ meaning: String) -> MergeParameter {
    MergeParameter(name, .choice, 0, Double(words.count - 1), 0, false, meaning, words: words)
  }

  /// The values allowed, in words.
  public var range: String {
    if kind == .flag { return "true or false" }
    if kind == .choice { return words.joined(separator: " or ") }
    let noun = kind == .integer ? "a whole number" : "a number"
    switch (minimum, maximum) {
    case (let low?, let high?): return "\(noun) within \(Self.short(low)) … \(Self.short(high))"
    case (let low?, nil): return "\(noun), at least \(Self.short(low))"
    case (nil, let high?): return "\(noun), at most \(Self.short(high))"
    case (nil, nil): return noun
    }
  }

  /// The default, in words.
  public var defaultText: String {
    guard let defaultValue else { return "required" }
    return text(of: defaultValue)
  }

  /// A value as it is written: `0.5`, `true`, `model`.
  public func text(of value: Double) -> String {
    switch kind {
    case .flag: value == 1 ? "true" : "false"
    case .choice: words.indices.contains(Int(value)) ? words[Int(value)] : Self.short(value)
    case .number, .integer: Self.short(value)
    }
  }

  /// Whether there is nothing between two values.
  var isDiscrete: Bool { kind == .flag || kind == .choice }

  /// Whether `value` is of this parameter's kind and within its range.
  func allows(_ value: Double) -> Bool {
    guard value.isFinite, kind == .number || value == value.rounded(), kind != .flag || value == 0 || value == 1 else {
      return false
    }
    return value >= minimum ?? -.infinity && value <= maximum ?? .infinity
  }

  /// The number that `text` spells: 0.5, 1e-3, true or false for a flag, a word for a choice; nil where it spells none.
  func value(of text: String) -> Double? {
    switch kind {
    case .flag: ["true": 1, "false": 0, "1": 1, "0": 0][text.lowercased()]
    case .choice: words.firstIndex(of: text).map(Double.init)
    case .number, .integer: Double(text)
    }
  }

  static func short(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
  }
}
