extension Architecture: Codable {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// Reads `name` and the options that are there.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let name = try container.decode(Name.self, forKey: Key(stringValue: "name"))
    var values: [Option: Value] = [:]
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
    self.init(name: name, values: values)
  }

  /// Writes `name` and the options that have a value.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(name, forKey: Key(stringValue: "name"))
    for option in Option.allCases {
      guard let value = self[option] else { continue }
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
