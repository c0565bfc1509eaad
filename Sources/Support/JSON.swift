import Foundation

/// A JSON value as it is written: keys keep their order and numbers their spelling.
///
/// Texts are bytes of UTF-8, since Swift's strings are equal where Unicode's forms are, which vocabularies tell apart.
public indirect enum JSON: Hashable, Sendable {
  case text([UInt8])
  /// A number, true, false or null, as written.
  case word(String)
  case array([JSON])
  case object([Member])

  /// A key of an object and its value.
  public struct Member: Hashable, Sendable {
    /// UTF-8.
    public let key: [UInt8]
    public var value: JSON

    /// A member from the key's bytes.
    public init(key: [UInt8], value: JSON) { (self.key, self.value) = (key, value) }
    /// A member from the key's text.
    public init(_ name: String, _ value: JSON) { self.init(key: Array(name.utf8), value: value) }

    /// The key as text.
    public var name: String { String(decoding: key, as: UTF8.self) }
  }

  /// What is no JSON, or more than `Limits` allow.
  public struct Failure: Error, Sendable {
    /// Bytes from the start.
    public let offset: Int
    public let message: String
  }

  /// How much a reader takes before it refuses: files come from strangers.
  public struct Limits: Sendable {
    /// Arrays and objects within one another.
    public var depth: Int
    /// Elements of one array.
    public var elements: Int

    /// Limits for whatever people's tools write.
    public static let usual = Limits(depth: 64, elements: .max)
    /// Limits for headers of weights, whose longest array is a shape.
    public static let header = Limits(depth: 8, elements: 64)
  }

  /// A text.
  public static func text(_ string: String) -> JSON { .text(Array(string.utf8)) }
  /// A whole number.
  public static func number(_ value: Int) -> JSON { .word(String(value)) }
  /// A number in the fewest digits that give it back, without a fraction where it has none; null where it is not finite.
  public static func number(_ value: Double) -> JSON {
    let digits = "\(value)"
    return value.isFinite ? .word(digits.hasSuffix(".0") ? String(digits.dropLast(2)) : digits) : .null
  }
  /// true or false
  public static func truth(_ value: Bool) -> JSON { .word(value ? "true" : "false") }
  /// null
  public static let null = JSON.word("null")

  /// Reads a file.
  ///
  /// - Throws: `FileError` naming the byte at which it is no JSON.
  public init(file path: String, limits: Limits = .usual) throws {
    guard let data = FileManager.default.contents(atPath: path) else { throw FileError(path, "cannot be read") }
    do {
      self = try JSON(data, limits: limits)
    } catch {
      throw FileError(path, "is no JSON at byte \(error.offset): \(error.message)")
    }
  }

  /// Reads a whole text in UTF-8. Keys that appear twice in an object are refused.
  public init(_ data: Data, limits: Limits = .usual) throws(Failure) { try self.init(Array(data), limits: limits) }

  /// Reads a whole text in UTF-8. Keys that appear twice in an object are refused.
  public init(_ bytes: [UInt8], limits: Limits = .usual) throws(Failure) {
    var parser = JSONParser(bytes: bytes, limits: limits)
    self = try parser.document()
  }

  /// The members of a header of weights: an object, within `Limits.header`.
  public static func object(_ bytes: [UInt8]) throws(Failure) -> [Member] {
    guard let members = try JSON(bytes, limits: .header).members else {
      throw Failure(offset: 0, message: "expected an object")
    }
    return members
  }

  // MARK: Access

  /// The member of that name of an object. Setting nil removes it; a new one comes last.
  public subscript(key: String) -> JSON? {
    get { members?.first { $0.key.elementsEqual(key.utf8) }?.value }
    set {
      guard case .object(var members) = self else { return }
      self = .null  // so that the members are not copied
      let index = members.firstIndex { $0.key.elementsEqual(key.utf8) }
      switch (index, newValue) {
      case (let index?, let value?): members[index].value = value
      case (let index?, nil): members.remove(at: index)
      case (nil, let value?): members.append(Member(key, value))
      case (nil, nil): break
      }
      self = .object(members)
    }
  }

  /// The bytes of a text; nil for other values.
  public var bytes: [UInt8]? { if case .text(let bytes) = self { bytes } else { nil } }
  /// A text; nil for other values.
  public var string: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
  /// A number written without fraction or exponent that fits an `Int`; nil for other values.
  public var integer: Int? { if case .word(let word) = self { Int(word) } else { nil } }
  /// The elements of an array; nil for other values.
  public var elements: [JSON]? { if case .array(let elements) = self { elements } else { nil } }
  /// The members of an object; nil for other values.
  public var members: [Member]? { if case .object(let members) = self { members } else { nil } }

  // MARK: Writing

  /// As a line of text without blanks.
  public var compact: String { String(decoding: written(lines: nil), as: UTF8.self) }

  /// As text for people: what is in the outer `depth` levels on lines of its own, and a line end last.
  public func data(lines depth: Int = 3) -> Data { Data(written(lines: depth) + [UInt8(ascii: "\n")]) }

  /// A text in quotation marks.
  public static func quoted(_ text: String) -> String { JSON.text(text).compact }

  private func written(lines depth: Int?) -> [UInt8] {
    var result: [UInt8] = []
    write(to: &result, depth, "\n")
    return result
  }

  private func write(to result: inout [UInt8], _ depth: Int?, _ newline: String) {
    func list<Item>(_ items: [Item], _ marks: StaticString, _ write: (Item, inout [UInt8]) -> Void) {
      let breaksLines = depth ?? 0 > 0
      result.append(marks.utf8Start[0])
      for (index, item) in items.enumerated() {
        if index > 0 { result.append(UInt8(ascii: ",")) }
        if breaksLines {
          result += (newline + "  ").utf8
        } else if index > 0, depth != nil {
          result.append(UInt8(ascii: " "))
        }
        write(item, &result)
      }
      if breaksLines, !items.isEmpty { result += newline.utf8 }
      result.append(marks.utf8Start[1])
    }
    let inner = (depth.map { $0 - 1 }, newline + "  ")
    switch self {
    case .text(let bytes): Self.quote(bytes, &result)
    case .word(let word): result += word.utf8
    case .array(let elements): list(elements, "[]") { $0.write(to: &$1, inner.0, inner.1) }
    case .object(let members):
      list(members, "{}") {
        Self.quote($0.key, &$1)
        $1 += (depth == nil ? ":" : ": ").utf8
        $0.value.write(to: &$1, inner.0, inner.1)
      }
    }
  }

  private static func quote(_ bytes: [UInt8], _ result: inout [UInt8]) {
    result.append(UInt8(ascii: "\""))
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): result += [UInt8(ascii: "\\"), byte]
      case 0x08: result += "\\b".utf8
      case 0x09: result += "\\t".utf8
      case 0x0A: result += "\\n".utf8
      case 0x0C: result += "\\f".utf8
      case 0x0D: result += "\\r".utf8
      case 0..<0x20: result += "\\u00\([byte].hexadecimal)".utf8
      default: result.append(byte)
      }
    }
    result.append(UInt8(ascii: "\""))
  }
}
