import Networks
import Schema

extension Architecture {
  static let section = Section(Architecture(name: .resnet)) {
    Key(
      "name", get: { $0.name }, set: { if let name = $1 { $0 = .init(name: name) } }, .choice,
      "the network; see `valley model list`")
    for option in Option.allCases { key(option) }
  }

  /// What Networks declares of an option.
  private static func key(_ option: Option) -> Key<Architecture> {
    let words = "the network's own"
    switch option.kind {
    case .integer:
      return Key(
        option.rawValue, get: { $0[option]?.integer }, set: { $0[option] = $1.map(Value.integer) }, .integer(),
        words: words, option.meaning)
    case .integers:
      return Key(
        option.rawValue, get: { $0[option]?.integers }, set: { $0[option] = $1.map(Value.integers) },
        .list(of: .integer(), "a list of whole numbers"), words: words, option.meaning)
    case .number:
      return Key(
        option.rawValue, get: { $0[option]?.number }, set: { $0[option] = $1.map(Value.number) }, .number(),
        words: words, option.meaning)
    case .text:
      return Key(
        option.rawValue, get: { $0[option]?.text }, set: { $0[option] = $1.map(Value.text) }, .text,
        kinds: { .name(of: $0.name.declaration.choice(option)?.names ?? []) }, words: words, option.meaning)
    }
  }
}
