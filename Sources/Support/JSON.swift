import Foundation

/// A JSON value as it is written: keys keep their order, and numbers their spelling.
///
/// Texts are bytes of UTF-8. Swift's strings are equal if their Unicode forms are, and vocabularies have to distinguish
/// those.
public indirect enum JSON: Hashable, Sendable {
  /// A text in UTF-8.
  case text([UInt8])
  /// A number, true, false or null, as it is written.
  case word(String)
  /// Values in order.
  case array([JSON])
  /// Keys with their values, in order.
  case object([Member])

  /// A key of an object and its value.
  public struct Member: Hashable, Sendable {
    /// The key in UTF-8.
    public let key: [UInt8]
    /// What the key stands for.
    public var value: JSON

    /// A member from the key's bytes.
    public init(key: [UInt8], value: JSON) { (self.key, self.value) = (key, value) }
    /// A member from the key's text.
    public init(_ name: String, _ value: JSON) { self.init(key: Array(name.utf8), value: value) }

    /// The key as text.
    public var name: String { String(decoding: key, as: UTF8.self) }
  }

  /// An error: the text is not JSON, or exceeds the `Limits`.
  public struct Failure: Error, Sendable {
    /// Where, in bytes from the start.
    public let offset: Int
    /// What is wrong.
    public let message: String
  }

  /// How much a reader accepts, because files may come from strangers.
  public struct Limits: Sendable {
    /// How deeply arrays and objects may be nested.
    public var depth: Int
    /// How many elements one array may have.
    public var elements: Int

    /// Limits that suit the files of ordinary tools.
    public static let usual = Limits(depth: 64, elements: .max)
    /// Limits for headers of weights, whose longest array is a shape.
    public static let header = Limits(depth: 8, elements: 64)
  }

  /// A text.
  public static func text(_ string: String) -> JSON { .text(Array(string.utf8)) }
  /// A whole number.
  public static func number(_ value: Int) -> JSON { .word(String(value)) }
  /// A number in the fewest digits that represent it, without a fraction if it has none; null if it is not finite.
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
  /// - Throws: `FileError` if the file cannot be read, or naming the byte at which it stops being JSON.
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

  /// The member with that name, if this is an object. Setting nil removes it; a new one comes last.
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

  /// The value as one line of text without spaces.
  public var compact: String { String(decoding: written(lines: nil), as: UTF8.self) }

  /// The value as text for people: items of the outer `depth` levels are on lines of their own, and a line end comes
  /// last.
  public func data(lines depth: Int = 3) -> Data { Data(written(lines: depth) + [UInt8(ascii: "\n")]) }

  /// A text in quotation marks, with escapes where they are needed.
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
