/// What is declared of a key: all that help, documentation and other programs say of it.
public struct KeyDeclaration: Sendable, Hashable, Encodable {
  /// As files have it, such as `learning_rate`.
  public let name: String
  /// Other spellings, such as `lr`.
  public let synonyms: [String]
  /// What it may be, in words, such as `a number above 0`.
  public let expected: String
  /// What a number is counted in, such as `examples`.
  public let unit: String?
  /// What it is where it is left out, in words; nil: nothing.
  public internal(set) var usual: String?
  /// What it does, in words.
  public let meaning: String
  /// The name beside which alone it may stand, such as `sgd`; nil: any.
  public let variant: String?
  /// The keys of the mapping, or of each mapping of the list, that it takes; empty for plain values.
  public let keys: [KeyDeclaration]
  /// Whether it takes a list of mappings.
  public let isList: Bool

  /// For other programs, without the keys of the mapping, which are listed by themselves.
  private enum CodingKeys: String, CodingKey {
    case name, synonyms, expected, unit, meaning
    case usual = "default"
    case variant = "onlyWith"
  }
}
