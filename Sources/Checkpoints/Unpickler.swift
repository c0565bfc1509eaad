import Foundation

/// Reads what `torch.save` pickles, and executes nothing. Classes and functions are names on a list, and the few that
/// PyTorch needs are reimplemented here.
///
/// A pickle is a program for a stack machine, whose opcodes CPython's `pickletools` documents.
final class Unpickler {
  struct Failure: Error {
    var offset: Int
    var message: String
  }

  /// How many values a file may make. A network's makes some thousands.
  private let mostValues: Int
  private let bytes: UnsafeRawBufferPointer
  private(set) var position: Int
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private var values = 0
  /// Every container made, so that they can be taken apart one by one: they may be nested deeply, or hold each other.
  private var containers: [PickleContainer] = []
  /// The storages named so far, by key.
  private(set) var storages: [String: TorchStorage] = [:]

  init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0, mostValues: Int = 8_000_000) {
    self.bytes = bytes
    self.mostValues = mostValues
    self.position = position
  }

  deinit { for container in containers { container.items = [] } }

  /// Reads one pickle from `position` on and leaves `position` behind it. The result is valid as long as the reader
  /// lives.
  func read() throws(Failure) -> PickleValue {
    stack = []
    marks = []
    memo = [:]
    while true {
      let opcode = try byte()
      if opcode == UInt8(ascii: ".") {
        guard stack.count == 1, marks.isEmpty else { throw failure("it ends with \(stack.count) values on its stack") }
        return stack[0]
      }
      try perform(opcode)
    }
  }

  // MARK: Opcodes

  private func perform(_ opcode: UInt8) throws(Failure) {
    switch opcode {
    case 0x80: _ = try byte()  // PROTO
    case 0x95: _ = try take(8)  // FRAME
    case UInt8(ascii: "("): try pushMark()
    case UInt8(ascii: "0"): try dropTop()
    case UInt8(ascii: "1"): _ = try popMark()
    case UInt8(ascii: "2"): try push(top())
    case UInt8(ascii: "N"): try push(.none)
    case 0x88: try push(.bool(true))
    case 0x89: try push(.bool(false))
    case UInt8(ascii: "I"), UInt8(ascii: "L"), UInt8(ascii: "F"): try pushNumberLine(opcode)
    case UInt8(ascii: "J"): try push(.integer(Int(number(Int32.self))))
    case UInt8(ascii: "K"): try push(.integer(Int(byte())))
    case UInt8(ascii: "M"): try push(.integer(Int(number(UInt16.self))))
    case 0x8A: try pushLong(Int(byte()))
    case 0x8B: try pushLong(length(number(Int32.self)))
    case UInt8(ascii: "G"):
      try push(.number(Double(bitPattern: UInt64(bigEndian: UInt64(littleEndian: number(UInt64.self))))))
    case UInt8(ascii: "V"), UInt8(ascii: "S"): try push(.text(line()))
    case UInt8(ascii: "X"), UInt8(ascii: "T"): try pushText(length(number(UInt32.self)), of: opcode)
    case 0x8C, UInt8(ascii: "U"): try pushText(Int(byte()), of: opcode)
    case 0x8D: try pushText(length(number(UInt64.self)), of: opcode)
    case UInt8(ascii: "B"): try pushBytes(length(number(UInt32.self)))
    case UInt8(ascii: "C"): try pushBytes(Int(byte()))
    case 0x8E, 0x96: try pushBytes(length(number(UInt64.self)))
    case UInt8(ascii: "]"): try push(.list, [])
    case UInt8(ascii: "}"): try push(.dictionary, [])
    case UInt8(ascii: ")"): try push(.tuple, [])
    case 0x8F: try push(.set, [])
    case UInt8(ascii: "l"): try push(.list, popMark())
    case UInt8(ascii: "t"): try push(.tuple, popMark())
    case 0x91: try push(.set, popMark())
    case UInt8(ascii: "d"): try push(.dictionary, pairs(popMark()))
    case 0x85...0x87: try push(.tuple, pop(Int(opcode) - 0x84))
    case UInt8(ascii: "a"): try extend(with: pop(1))
    case UInt8(ascii: "e"), 0x90: try extend(with: popMark())
    case UInt8(ascii: "s"): try fill(with: pop(2))
    case UInt8(ascii: "u"): try fill(with: pairs(popMark()))
    case UInt8(ascii: "p"), UInt8(ascii: "g"): try memoLine(opcode)
    case UInt8(ascii: "q"): memo[Int(try byte())] = try top()
    case UInt8(ascii: "r"): memo[Int(try number(UInt32.self))] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "h"): try recall(Int(byte()))
    case UInt8(ascii: "j"): try recall(Int(number(UInt32.self)))
    case UInt8(ascii: "c"): try push(global(line(), line()))
    case 0x93: try pushStackGlobal()
    case UInt8(ascii: "R"), 0x81: try reduce(pop(2))
    case 0x92: try reduce(Array(pop(3).dropLast()))
    case UInt8(ascii: "b"): try dropTop()  // BUILD: attributes of an object, which none of these has
    case UInt8(ascii: "Q"): try pushStorage(pop(1)[0])
    case UInt8(ascii: "i"), UInt8(ascii: "o"):
      throw failure("it would make an object in a way that torch.save never does (opcode \(opcode))")
    default: throw failure("torch.save does not write opcode \(opcode)")
    }
  }

  private func pushLong(_ count: Int) throws(Failure) {
    let digits = try take(count)
    // Two's complement, little-endian. Numbers of more than 64 bits are seeds or identifiers, never shapes.
    guard count <= 8 else { return try push(.opaque("int")) }
    var value: UInt64 = (digits.last ?? 0) >= 0x80 ? ~0 : 0
    for digit in digits.reversed() { value = value << 8 | UInt64(digit) }
    try push(.integer(Int(truncatingIfNeeded: value)))
  }

  private func pushNumberLine(_ opcode: UInt8) throws(Failure) {
    let text = try line()
    if opcode == UInt8(ascii: "F") {
      guard let value = Double(text) else { throw failure("'\(text.prefix(40))' is not a number") }
      return try push(.number(value))
    }
    if opcode == UInt8(ascii: "I"), text == "00" || text == "01" { return try push(.bool(text == "01")) }
    let digits = text.hasSuffix("L") ? String(text.dropLast()) : text
    try push(Int(digits).map(PickleValue.integer) ?? .opaque("int"))
  }

  private func pushText(_ count: Int, of opcode: UInt8) throws(Failure) {
    let characters = try take(count)
    guard let text = String(validating: characters, as: UTF8.self) else {
      // Python 2 wrote bytes and text alike.
      guard opcode == UInt8(ascii: "T") || opcode == UInt8(ascii: "U") else { throw failure("a text is not UTF-8") }
      return try push(.opaque("bytes"))
    }
    try push(.text(text))
  }

  private func pushBytes(_ count: Int) throws(Failure) {
    _ = try take(count)
    try push(.opaque("bytes"))
  }

  private func memoLine(_ opcode: UInt8) throws(Failure) {
    guard let index = Int(try line()) else { throw failure("a place of the memo is not a number") }
    if opcode == UInt8(ascii: "p") { memo[index] = try top() } else { try recall(index) }
  }

  private func recall(_ index: Int) throws(Failure) {
    guard let value = memo[index] else { throw failure("it refers to value \(index), which it has not made") }
    try push(value)
  }

  private func pushStackGlobal() throws(Failure) {
    let names = try pop(2)
    guard let module = names[0].text, let name = names[1].text else { throw failure("a class's name is not text") }
    try push(global(module, name))
  }

  private func extend(with items: [PickleValue]) throws(Failure) {
    switch try top() {
    case .container(let container) where container.kind == .list || container.kind == .set:
      container.items += items
    case .opaque: break
    default: throw failure("it appends to \(try top().kind)")
    }
  }

  private func fill(with items: [PickleValue]) throws(Failure) {
    switch try top() {
    case .container(let container) where container.kind == .dictionary: container.items += items
    case .opaque: break
    default: throw failure("it sets entries of \(try top().kind)")
    }
  }

  private func pairs(_ items: [PickleValue]) throws(Failure) -> [PickleValue] {
    guard items.count % 2 == 0 else { throw failure("a dictionary has a key without a value") }
    return items
  }

  // MARK: Classes and functions

  private func global(_ module: String, _ name: String) throws(Failure) -> PickleValue {
    let full = "\(module).\(name)"
    guard TorchGlobals.isHarmless(full) else {
      throw failure(
        "it would call \(full.prefix(120)), which is not a part of weights; nothing was executed. If you trust the "
          + "file, load it in PyTorch and save its weights alone: torch.save(model.state_dict(), …)")
    }
    return .global(full)
  }

  private func reduce(_ parts: [PickleValue]) throws(Failure) {
    guard case .global(let name) = parts[0], let arguments = parts[1].elements else {
      // A class that is itself the result of a call, or a call without arguments.
      guard case .opaque = parts[0] else { throw failure("it would call \(parts[0].kind)") }
      return try push(parts[0])
    }
    let value: PickleValue
    do {
      value = try TorchGlobals.apply(name, arguments)
    } catch {
      throw failure(error.message)
    }
    if case .container(let container) = value { containers.append(container) }
    try push(value)
  }

  private func pushStorage(_ identifier: PickleValue) throws(Failure) {
    do {
      let storage = try TorchGlobals.storage(identifier)
      if let known = storages[storage.key], known.count != storage.count || known.dtype != storage.dtype {
        throw failure("storage \(storage.key) is described twice, in different ways")
      }
      storages[storage.key] = storage
      try push(.storage(storage))
    } catch let error as TorchGlobals.Refusal {
      throw failure(error.message)
    } catch let error as Failure {
      throw error
    } catch {
      throw failure("\(error)")
    }
  }

  // MARK: Stack

  private func push(_ kind: PickleContainer.Kind, _ items: [PickleValue]) throws(Failure) {
    let container = PickleContainer(kind, items)
    containers.append(container)
    try push(.container(container))
  }

  private func push(_ value: PickleValue) throws(Failure) {
    values += 1
    guard values <= mostValues else { throw failure("it makes more than \(mostValues) values") }
    stack.append(value)
  }

  private func pushMark() throws(Failure) {
    values += 1
    guard values <= mostValues else { throw failure("it makes more than \(mostValues) values") }
    marks.append(stack.count)
  }

  private func top() throws(Failure) -> PickleValue {
    guard stack.count > (marks.last ?? 0), let value = stack.last else { throw failure("its stack is empty") }
    return value
  }

  private func dropTop() throws(Failure) { _ = try pop(1) }

  private func pop(_ count: Int) throws(Failure) -> [PickleValue] {
    guard stack.count - count >= marks.last ?? 0 else { throw failure("its stack is empty") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private func popMark() throws(Failure) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw failure("it ends a list that it has not begun") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  // MARK: Bytes

  private func failure(_ message: String) -> Failure { Failure(offset: position, message: message) }

  private func byte() throws(Failure) -> UInt8 {
    guard position < bytes.count else { throw failure("it ends early") }
    defer { position += 1 }
    return bytes[position]
  }

  private func take(_ count: Int) throws(Failure) -> UnsafeRawBufferPointer.SubSequence {
    guard count <= bytes.count - position else { throw failure("it ends early") }
    defer { position += count }
    return bytes[position..<(position + count)]
  }

  private func number<Number: FixedWidthInteger>(_ type: Number.Type) throws(Failure) -> Number {
    let start = position
    _ = try take(MemoryLayout<Number>.size)
    return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: Number.self))
  }

  private func length(_ number: some FixedWidthInteger) throws(Failure) -> Int {
    guard let length = Int(exactly: number), length >= 0 else { throw failure("a length is impossible") }
    return length
  }

  /// The text up to the end of the line, the form of arguments in old protocols.
  private func line() throws(Failure) -> String {
    let rest = bytes[position...].prefix(4096)
    guard let end = rest.firstIndex(of: 0x0A) else { throw failure("a line does not end") }
    defer { position = end + 1 }
    guard let text = String(validating: bytes[position..<end], as: UTF8.self) else {
      throw failure("a line is not UTF-8")
    }
    return text
  }
}
