import Foundation
import Support
import TestSupport
import Testing

@Suite struct JSONTests {
  private func read(_ text: String, _ limits: JSON.Limits = .usual) throws -> JSON {
    try JSON(Data(text.utf8), limits: limits)
  }

  @Test func orderAndSpellingAreKept() throws {
    let text = #"{"b":1.50,"a":[1e-3,true,null,"é\"\\\n\u0001"],"":{}}"#
    #expect(try read(text).compact == text)
    #expect(try read("{\"b\": 1, \"a\": [2, {}]}").data(lines: 1) == Data("{\n  \"b\": 1,\n  \"a\": [2, {}]\n}\n".utf8))
  }

  @Test func valuesAreReached() throws {
    var value = try read(#"{"n": 12, "x": 1.5, "s": "tü", "l": [1, 2], "o": {"k": false}}"#)
    #expect(value["n"]?.integer == 12 && value["x"]?.integer == nil && value["s"]?.string == "tü")
    #expect(value["l"]?.elements?.compactMap(\.integer) == [1, 2] && value["o"]?["k"] == .truth(false))
    value["n"] = nil
    value["new"] = .number(3)
    value["x"] = .number(0.1)
    #expect(value.compact == #"{"x":0.1,"s":"tü","l":[1,2],"o":{"k":false},"new":3}"#)
  }

  /// The spelling of Foundation's JSONEncoder.
  @Test func numbersAreShortest() throws {
    let encoder = JSONEncoder()
    for number in [0, 1, -2.5, 0.1, 1e-7, 123_456_789, 1.0 / 3, 1.7e308, 1e16, 1e22] {
      #expect(JSON.number(number).compact == String(decoding: try encoder.encode(number), as: UTF8.self), "\(number)")
    }
    #expect(JSON.number(Double.nan) == .null && JSON.number(-Double.infinity) == .null)
  }

  @Test func textsAreBytes() throws {
    // The same text for Swift, different tokens for a vocabulary.
    let (composed, decomposed) = (try read(#""\u00e9""#), try read(#""e\u0301""#))
    #expect(composed != decomposed && composed.string == decomposed.string)
    #expect(try read(#""\ud83d\ude00\/\b""#).bytes == Array("😀/\u{8}".utf8))
  }

  @Test(arguments: [
    ("", "ends early"), ("{", "expected a key"), ("[1", "expected ']'"), ("{\"a\" 1}", "expected ':'"),
    ("[1,]", "expected a value"), ("1 2", "text after the end"), ("\"a", "text ends early"),
    ("{\"a\":1,\"a\":2}", "'a' appears twice"), ("\"\u{1}\"", "control character"), (#""\x""#, "unknown escape"),
    (#""\ud800""#, "half a surrogate pair"), (#""\ud800\u0041""#, "half a surrogate pair"),
    (#""\u12g4""#, "four hexadecimal"),
    ("+1", "expected a value"), ("0x10", "expected a value"), ("nan", "expected a value"),
    ("truth", "expected a value"),
  ]) func whatIsNoJSONIsNamed(text: String, reason: String) throws {
    let failure = try #require(throws: JSON.Failure.self) { try read(text) }
    #expect(failure.message.contains(reason), "\(text): \(failure.message)")
    #expect(failure.offset <= text.utf8.count)
  }

  @Test func limitsHold() throws {
    let deep = String(repeating: "[", count: 100_000)
    #expect(try #require(throws: JSON.Failure.self) { try read(deep) }.message == "nested too deeply")
    let long = "[" + String(repeating: "1,", count: 64) + "1]"
    #expect(try read(long).elements?.count == 65)
    #expect(
      try #require(throws: JSON.Failure.self) { try read(long, .header) }.message == "list of more than 64 items")
    let broken = Data([0x22, 0xFF, 0x22])
    #expect(try #require(throws: JSON.Failure.self) { try JSON(broken) }.message == "text is not UTF-8")
  }

  @Test func aFileIsNamed() throws {
    let scratch = try Scratch()
    try Data("[1,".utf8).write(to: scratch.url("a.json"))
    let error = try #require(throws: FileError.self) { try JSON(file: scratch.path("a.json")) }
    #expect(error.description == "\(scratch.path("a.json")): is no JSON at byte 3: ends early")
    let missing = try #require(throws: FileError.self) { try JSON(file: scratch.path("b.json")) }
    #expect(missing.description == "\(scratch.path("b.json")): cannot be read")
  }

  /// Changed bytes of a real file are read or refused, never a trap; what is read is written to what reads as the same.
  @Test func damagedTextsAreReadOrRefused() throws {
    let whole = Array(#"{"a":[1,-2.5e3,"xé\n"],"b":{"c":null,"d":[[],{}]},"e":true}"#.utf8)
    var random = SplitMix64(7)
    for _ in 0..<3000 {
      var bytes = whole
      for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      if let value = try? JSON(bytes) { #expect(try JSON(Data(value.compact.utf8)) == value) }
    }
  }
}
