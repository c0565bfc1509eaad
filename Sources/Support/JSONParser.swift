/// Reads JSON strictly: RFC 8259, with Python's `NaN` and `Infinity` as words.
struct JSONParser {
  private let bytes: [UInt8]
  private let limits: JSON.Limits
  private var position = 0

  init(bytes: [UInt8], limits: JSON.Limits) { (self.bytes, self.limits) = (bytes, limits) }

  mutating func document() throws(JSON.Failure) -> JSON {
    let value = try value(depth: 0)
    skipSpace()
    guard position == bytes.count else { throw failure("text after the end") }
    return value
  }

  private func failure(_ message: String) -> JSON.Failure { JSON.Failure(offset: position, message: message) }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  /// Steps over a character if it comes next after spaces.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard current == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(JSON.Failure) {
    guard take(character) else { throw failure("expected '\(character)'") }
  }

  private mutating func value(depth: Int) throws(JSON.Failure) -> JSON {
    guard depth < limits.depth else { throw failure("nested too deeply") }
    if take("{") { return .object(try members(depth: depth + 1)) }
    if take("[") { return .array(try elements(depth: depth + 1)) }
    if take("\"") { return .text(try text()) }
    return try word()
  }

  private mutating func members(depth: Int) throws(JSON.Failure) -> [JSON.Member] {
    var members: [JSON.Member] = []
    if take("}") { return members }
    var seen: Set<[UInt8]> = []
    repeat {
      guard take("\"") else { throw failure("expected a key") }
      let key = try text()
      guard seen.insert(key).inserted else {
        throw failure("'\(String(decoding: key, as: UTF8.self))' appears twice")
      }
      try expect(":")
      members.append(JSON.Member(key: key, value: try value(depth: depth)))
    } while take(",")
    try expect("}")
    return members
  }

  private mutating func elements(depth: Int) throws(JSON.Failure) -> [JSON] {
    var elements: [JSON] = []
    if take("]") { return elements }
    repeat {
      guard elements.count < limits.elements else { throw failure("list of more than \(limits.elements) items") }
      elements.append(try value(depth: depth))
    } while take(",")
    try expect("]")
    return elements
  }

  private mutating func word() throws(JSON.Failure) -> JSON {
    let start = position
    while let byte = current, !",]}: \n\r\t\"".utf8.contains(byte) { position += 1 }
    let word = String(decoding: bytes[start..<position], as: UTF8.self)
    if ["true", "false", "null", "NaN", "Infinity", "-Infinity"].contains(word) { return .word(word) }
    // Swift reads more than JSON has: a sign +, hexadecimal digits, words.
    guard word.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), word.first != "+", Double(word) != nil else {
      position = start
      throw failure(start == bytes.count ? "ends early" : "expected a value")
    }
    return .word(word)
  }

  private mutating func text() throws(JSON.Failure) -> [UInt8] {
    var text: [UInt8] = []
    while let byte = current {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard String(validating: text, as: UTF8.self) != nil else { throw failure("text is not UTF-8") }
        return text
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<0x20: throw failure("control character in text")
      default: text.append(byte)
      }
    }
    throw failure("text ends early")
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSON.Failure) {
    guard let byte = current else { throw failure("text ends early") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hexadecimal()
      if (0xD800..<0xDC00).contains(code), bytes[position...].starts(with: "\\u".utf8) {
        position += 2
        let low = try hexadecimal()
        guard (0xDC00..<0xE000).contains(low) else { throw failure("half a surrogate pair") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("half a surrogate pair") }
      text += Character(scalar).utf8
    default: throw failure("unknown escape")
    }
  }

  private mutating func hexadecimal() throws(JSON.Failure) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("expected four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
