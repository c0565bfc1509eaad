/// A strict reader of the JSON in safetensors headers. Unlike general JSON decoders it keeps the order of keys, refuses duplicates,
/// bounds nesting and lists, and never rounds an integer.
enum HeaderJSON {
  case string(String)
  case integer(Int)
  case array([HeaderJSON])
  case object([(String, HeaderJSON)])
  /// A number with a fraction or exponent, true, false or null: nothing a header needs.
  case other

  struct Failure: Error {
    var offset: Int
    var message: String
  }

  static func object(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> [(String, HeaderJSON)] {
    var parser = Parser(bytes: bytes)
    parser.skipSpace()
    guard case .object(let members) = try parser.value(depth: 0) else {
      throw Failure(offset: 0, message: "expected an object")
    }
    parser.skipSpace()
    guard parser.position == bytes.count else { throw parser.failure("text after the end") }
    return members
  }

  private struct Parser {
    let bytes: UnsafeRawBufferPointer
    var position = 0

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    func failure(_ message: String) -> Failure { Failure(offset: position, message: message) }

    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
      while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    mutating func expect(_ character: Unicode.Scalar) throws(Failure) {
      guard current == UInt8(ascii: character) else { throw failure("expected '\(character)'") }
      position += 1
    }

    mutating func value(depth: Int) throws(Failure) -> HeaderJSON {
      guard depth < 8 else { throw failure("nested too deeply") }
      switch current {
      case UInt8(ascii: "{"): return .object(try members(depth: depth))
      case UInt8(ascii: "["): return .array(try items(depth: depth))
      case UInt8(ascii: "\""): return .string(try string())
      case .some: return try scalar()
      case nil: throw failure("ends early")
      }
    }

    mutating func members(depth: Int) throws(Failure) -> [(String, HeaderJSON)] {
      try expect("{")
      var members: [(String, HeaderJSON)] = []
      var seen: Set<String> = []
      skipSpace()
      if current == UInt8(ascii: "}") {
        position += 1
        return members
      }
      while true {
        skipSpace()
        let key = try string()
        guard seen.insert(key).inserted else { throw failure("'\(key)' stands twice") }
        skipSpace()
        try expect(":")
        skipSpace()
        members.append((key, try value(depth: depth + 1)))
        skipSpace()
        if current == UInt8(ascii: ",") {
          position += 1
          continue
        }
        try expect("}")
        return members
      }
    }

    mutating func items(depth: Int) throws(Failure) -> [HeaderJSON] {
      try expect("[")
      var items: [HeaderJSON] = []
      skipSpace()
      if current == UInt8(ascii: "]") {
        position += 1
        return items
      }
      while true {
        skipSpace()
        guard items.count < 64 else { throw failure("list of more than 64 items") }
        items.append(try value(depth: depth + 1))
        skipSpace()
        if current == UInt8(ascii: ",") {
          position += 1
          continue
        }
        try expect("]")
        return items
      }
    }

    mutating func string() throws(Failure) -> String {
      try expect("\"")
      var text: [UInt8] = []
      while let byte = current {
        position += 1
        switch byte {
        case UInt8(ascii: "\""):
          guard let string = String(validating: text, as: UTF8.self) else { throw failure("text is not UTF-8") }
          return string
        case UInt8(ascii: "\\"): try escape(into: &text)
        case 0..<0x20: throw failure("control character in text")
        default: text.append(byte)
        }
      }
      throw failure("text ends early")
    }

    mutating func escape(into text: inout [UInt8]) throws(Failure) {
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
        var code = UInt32(try hexadecimal())
        if (0xD800..<0xDC00).contains(code), current == UInt8(ascii: "\\") {
          position += 1
          try expect("u")
          let low = UInt32(try hexadecimal())
          guard (0xDC00..<0xE000).contains(low) else { throw failure("half a surrogate pair") }
          code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw failure("half a surrogate pair") }
        text.append(contentsOf: Array(String(Character(scalar)).utf8))
      default: throw failure("unknown escape")
      }
    }

    mutating func hexadecimal() throws(Failure) -> UInt16 {
      var value: UInt16 = 0
      for _ in 0..<4 {
        guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
          throw failure("expected four hexadecimal digits")
        }
        value = value << 4 | UInt16(digit)
        position += 1
      }
      return value
    }

    mutating func scalar() throws(Failure) -> HeaderJSON {
      let start = position
      while let byte = current, !",]} \n\r\t".utf8.contains(byte) { position += 1 }
      let text = String(decoding: bytes[start..<position], as: UTF8.self)
      if let integer = Int(text), text.first != "+" { return .integer(integer) }
      guard ["true", "false", "null"].contains(text) || Double(text) != nil else {
        position = start
        throw failure("expected a value")
      }
      return .other
    }
  }
}
