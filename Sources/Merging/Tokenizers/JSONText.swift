import Checkpoints
import Foundation

/// A JSON value as it is written: keys keep their order and numbers their spelling. Texts are bytes, since Swift's are equal where
/// Unicode's forms are, which vocabularies tell apart.
indirect enum JSONText: Sendable {
  case text(Bytes)
  /// A number, true, false or null, as written.
  case word(String)
  case array([JSONText])
  case object([Member])

  typealias Bytes = [UInt8]

  struct Member: Sendable {
    let key: Bytes
    var value: JSONText
  }

  struct Failure: Error {
    let message: String
    let offset: Int
  }

  static func text(_ string: String) -> JSONText { .text(Bytes(string.utf8)) }
  static func number(_ value: Int) -> JSONText { .word(String(value)) }
  static let null = JSONText.word("null")

  /// Reads a file.
  ///
  /// - Throws: `CheckpointError` naming the place of what is no JSON.
  init(file path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else { throw CheckpointError(path, "cannot be read") }
    do {
      self = try JSONText(data)
    } catch {
      throw CheckpointError(path, "is no JSON at byte \(error.offset): \(error.message)")
    }
  }

  init(_ data: Data) throws(Failure) {
    var parser = Parser(bytes: Bytes(data))
    self = try parser.document()
  }

  // MARK: Access

  /// The member of that name of an object; setting nil removes it, a new one comes last.
  subscript(key: String) -> JSONText? {
    get {
      guard case .object(let members) = self else { return nil }
      return members.first { $0.key.elementsEqual(key.utf8) }?.value
    }
    set {
      guard case .object(var members) = self else { return }
      self = .null  // so that the members are not copied
      let index = members.firstIndex { $0.key.elementsEqual(key.utf8) }
      switch (index, newValue) {
      case (let index?, let value?): members[index].value = value
      case (let index?, nil): members.remove(at: index)
      case (nil, let value?): members.append(Member(key: Bytes(key.utf8), value: value))
      case (nil, nil): break
      }
      self = .object(members)
    }
  }

  var bytes: Bytes? { if case .text(let bytes) = self { bytes } else { nil } }
  var string: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
  var integer: Int? { if case .word(let word) = self { Int(word) } else { nil } }
  var elements: [JSONText]? { if case .array(let elements) = self { elements } else { nil } }
  var members: [Member]? { if case .object(let members) = self { members } else { nil } }
  var isTrue: Bool { if case .word("true") = self { true } else { false } }

  // MARK: Writing

  /// As text: what is in the outer `depth` levels on lines of its own.
  func data(lines depth: Int = 3) -> Data {
    var result = Bytes()
    write(to: &result, depth, "\n")
    result.append(UInt8(ascii: "\n"))
    return Data(result)
  }

  private func write(to result: inout Bytes, _ depth: Int, _ newline: String) {
    func list<Item>(_ items: [Item], _ open: Character, _ close: Character, _ write: (Item, inout Bytes) -> Void) {
      result += Bytes(String(open).utf8)
      for (index, item) in items.enumerated() {
        if index > 0 { result.append(UInt8(ascii: ",")) }
        if depth > 0 { result += Bytes((newline + "  ").utf8) } else if index > 0 { result.append(UInt8(ascii: " ")) }
        write(item, &result)
      }
      if depth > 0, !items.isEmpty { result += Bytes(newline.utf8) }
      result += Bytes(String(close).utf8)
    }
    switch self {
    case .text(let bytes): Self.quote(bytes, &result)
    case .word(let word): result += Bytes(word.utf8)
    case .array(let elements):
      list(elements, "[", "]") { $0.write(to: &$1, depth - 1, newline + "  ") }
    case .object(let members):
      list(members, "{", "}") {
        Self.quote($0.key, &$1)
        $1 += [UInt8(ascii: ":"), UInt8(ascii: " ")]
        $0.value.write(to: &$1, depth - 1, newline + "  ")
      }
    }
  }

  private static func quote(_ bytes: Bytes, _ result: inout Bytes) {
    result.append(UInt8(ascii: "\""))
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): result += [UInt8(ascii: "\\"), byte]
      case 0..<0x20: result += Bytes(String(format: "\\u%04x", Int(byte)).utf8)
      default: result.append(byte)
      }
    }
    result.append(UInt8(ascii: "\""))
  }
}

extension JSONText {
  private struct Parser {
    let bytes: Bytes
    private var position = 0

    init(bytes: Bytes) { self.bytes = bytes }

    mutating func document() throws(Failure) -> JSONText {
      let value = try value(depth: 0)
      skipSpace()
      guard position == bytes.count else { throw failure("text after the end") }
      return value
    }

    private func failure(_ message: String) -> Failure { Failure(message: message, offset: position) }

    private mutating func skipSpace() {
      while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) { position += 1 }
    }

    /// Steps over a character if it is the next.
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
      skipSpace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
      position += 1
      return true
    }

    private mutating func value(depth: Int) throws(Failure) -> JSONText {
      guard depth < 64 else { throw failure("nested too deeply") }
      if take("{") {
        var members: [Member] = []
        if take("}") { return .object(members) }
        repeat {
          guard take("\"") else { throw failure("expected a key") }
          let key = try text()
          guard take(":") else { throw failure("expected ':'") }
          members.append(Member(key: key, value: try value(depth: depth + 1)))
        } while take(",")
        guard take("}") else { throw failure("expected '}'") }
        return .object(members)
      }
      if take("[") {
        var elements: [JSONText] = []
        if take("]") { return .array(elements) }
        repeat { elements.append(try value(depth: depth + 1)) } while take(",")
        guard take("]") else { throw failure("expected ']'") }
        return .array(elements)
      }
      if take("\"") { return .text(try text()) }
      let start = position
      while position < bytes.count, !",]}: \n\r\t\"".utf8.contains(bytes[position]) { position += 1 }
      let word = String(decoding: bytes[start..<position], as: UTF8.self)
      guard ["true", "false", "null"].contains(word) || Double(word) != nil else {
        position = start
        throw failure("expected a value")
      }
      return .word(word)
    }

    private mutating func text() throws(Failure) -> Bytes {
      var result = Bytes()
      while position < bytes.count {
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""): return result
        case UInt8(ascii: "\\"): try escape(&result)
        default: result.append(byte)
        }
      }
      throw failure("a text has no end")
    }

    private mutating func escape(_ result: inout Bytes) throws(Failure) {
      guard position < bytes.count else { throw failure("a text has no end") }
      let byte = bytes[position]
      position += 1
      let plain: [UInt8: UInt8] = [0x62: 0x08, 0x66: 0x0C, 0x6E: 0x0A, 0x72: 0x0D, 0x74: 0x09]
      if let character = plain[byte] { return result.append(character) }
      guard byte == UInt8(ascii: "u") else {
        guard "\"\\/".utf8.contains(byte) else { throw failure("unknown escape") }
        return result.append(byte)
      }
      var code = try hexadecimal()
      if (0xD800..<0xDC00).contains(code), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
        bytes[position + 1] == UInt8(ascii: "u")
      {
        position += 2
        let low = try hexadecimal()
        guard (0xDC00..<0xE000).contains(low) else { throw failure("half a surrogate pair") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("half a surrogate pair") }
      result += Bytes(String(Character(scalar)).utf8)
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
      guard position + 4 <= bytes.count,
        let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
      else { throw failure("expected four hexadecimal digits") }
      position += 4
      return code
    }
  }
}
