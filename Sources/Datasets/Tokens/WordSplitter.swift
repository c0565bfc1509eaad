/// GPT-2's division of a text into words, which merges never cross: the expression
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// worked out by hand on UTF-8, which is about fifty times as fast as a regular-expression engine. A byte that is not
/// part of a UTF-8 sequence counts as a character of its own, so that any bytes can be encoded and decoded again.
struct WordSplitter: Sendable {
  private enum Kind {
    static let other: UInt8 = 0
    static let letter: UInt8 = 1
    static let number: UInt8 = 2
    static let space: UInt8 = 3
  }

  /// The kind of every scalar below 0x10000, by its value.
  private static let kinds: [UInt8] = (0..<0x10000).map { value in
    Unicode.Scalar(UInt32(value)).map(kind) ?? Kind.other
  }

  /// The version of Unicode, the `tokenizers` package's, up to which letters and numbers count as such.
  private static let unicodeVersion = (major: 16, minor: 0)

  private static func kind(_ scalar: Unicode.Scalar) -> UInt8 {
    let properties = scalar.properties
    if properties.isWhitespace { return Kind.space }
    guard let age = properties.age, (age.major, age.minor) <= unicodeVersion else { return Kind.other }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return Kind.letter
    case .decimalNumber, .letterNumber, .otherNumber: return Kind.number
    default: return Kind.other
    }
  }

  /// Calls `body` with the range of every word of `text`, in order. Together the words cover the text.
  @inline(__always)
  static func forEachWord(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
    kinds.withUnsafeBufferPointer { kinds in
      var start = 0
      while start < text.count {
        let end = wordEnd(text, from: start, kinds)
        body(start..<end)
        start = end
      }
    }
  }

  @inline(__always)
  private static func wordEnd(
    _ text: UnsafeBufferPointer<UInt8>, from start: Int, _ kinds: UnsafeBufferPointer<UInt8>
  ) -> Int {
    let count = text.count
    if text[start] == UInt8(ascii: "'"), let end = contractionEnd(text, from: start) { return end }
    var (kind, next) = scalar(text, at: start, kinds)
    // " ?": one space belongs to the word after it.
    if text[start] == UInt8(ascii: " "), next < count {
      let (following, end) = scalar(text, at: next, kinds)
      if following != Kind.space { (kind, next) = (following, end) }
    }
    var last = start
    while next < count {
      let (following, end) = scalar(text, at: next, kinds)
      guard following == kind else {
        // \s+(?!\S): the last of several spaces is left for the word after them.
        return kind == Kind.space && last > start ? last : next
      }
      (last, next) = (next, end)
    }
    return count
  }

  /// The end of 's, 't, 're, 've, 'm, 'll or 'd; nil if there is none.
  private static func contractionEnd(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    guard start + 1 < text.count else { return nil }
    switch text[start + 1] {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"):
      return start + 2 < text.count && text[start + 2] == UInt8(ascii: "e") ? start + 3 : nil
    case UInt8(ascii: "l"):
      return start + 2 < text.count && text[start + 2] == UInt8(ascii: "l") ? start + 3 : nil
    default: return nil
    }
  }

  /// The kind of the scalar at a byte, and where the next one starts.
  @inline(__always)
  private static func scalar(
    _ text: UnsafeBufferPointer<UInt8>, at start: Int, _ kinds: UnsafeBufferPointer<UInt8>
  ) -> (kind: UInt8, end: Int) {
    let lead = text[start]
    return lead < 0x80 ? (kinds[Int(lead)], start + 1) : longScalar(text, at: start, kinds)
  }

  @inline(never)
  private static func longScalar(
    _ text: UnsafeBufferPointer<UInt8>, at start: Int, _ kinds: UnsafeBufferPointer<UInt8>
  ) -> (kind: UInt8, end: Int) {
    let lead = UInt32(text[start])
    let length: Int
    let least: UInt32
    switch lead {
    case 0xC2...0xDF: (length, least) = (2, 0x80)
    case 0xE0...0xEF: (length, least) = (3, 0x800)
    case 0xF0...0xF4: (length, least) = (4, 0x10000)
    default: return (Kind.other, start + 1)
    }
    guard start + length <= text.count else { return (Kind.other, start + 1) }
    var value = lead & (0x7F >> UInt32(length))
    for offset in 1..<length {
      let byte = UInt32(text[start + offset])
      guard byte & 0xC0 == 0x80 else { return (Kind.other, start + 1) }
      value = value << 6 | (byte & 0x3F)
    }
    guard value >= least, let scalar = Unicode.Scalar(value) else { return (Kind.other, start + 1) }
    return (value < 0x10000 ? kinds[Int(value)] : kind(scalar), start + length)
  }
}
